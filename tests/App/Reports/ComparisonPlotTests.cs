using AutoencoderGpu.App.Reports;
using SkiaSharp;
using Xunit;

namespace AutoencoderGpu.Tests.App.Reports;

public sealed class ComparisonPlotTests : IDisposable
{
    private static readonly SKColor _first = new(0xFFD55E00), _second = new(0xFF0072B2), _reference = new(0xFF222222);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Two_rates_of_two_models_have_a_colour_each_in_a_panel_each()
    {
        using SKBitmap picture = Draw(
            showReference: true,
            Run(1, 1, ReferenceCurves.Fc, 0.02), Run(0.1, 1, ReferenceCurves.Fc, 0.1), Run(1, 1, ReferenceCurves.Conv, 0.01), Run(0.1, 1, ReferenceCurves.Conv, 0.05));

        foreach (int left in new[] { 0, 1000 })
        {
            foreach (SKColor colour in new[] { _first, _second, _reference })
                Assert.True(Count(picture, left, colour) > 300, $"{colour} is missing at {left}");
        }
    }

    [Fact]
    public void Runs_of_one_epoch_are_dots_at_their_seeds_and_collapsed_ones_are_left_out()
    {
        ComparedCurve[] runs = [Run(1, 1, [ReferenceCurves.Conv[0]], 0), Run(1, 5, [ReferenceCurves.Conv[0]], 0.01), Run(1, 3, [], 0)];
        using SKBitmap picture = Draw(showReference: true, runs), without = Draw(showReference: false, runs);

        // Two dots of twelve pixels; the reference has one seed only, its own, and no place here.
        Assert.InRange(Count(picture, 0, _first) + Count(picture, 1000, _first), 150, 1000);
        Assert.Equal(without.Bytes, picture.Bytes);
    }

    [Fact]
    public void Every_rate_has_a_text_of_its_own()
    {
        Assert.Equal(["1.0", "0.1", "0.001", "1E-08", "2E-08", "1E-45", "0.12345678901"], ((double[])[1, 0.1, 1e-3, 1e-8, 2e-8, 1e-45, 0.12345678901]).Select(RateText.Of));
    }

    [Fact]
    public void Many_models_are_panels_in_rows()
    {
        ComparedCurve[] runs = [.. Enumerable.Range(0, 5).Select(i => Run(1, 1, [.. ReferenceCurves.Fc.Select(epoch => epoch with { Model = $"model {i}" })], i * 0.01))];
        ComparisonPlot.Save(
            _folder.File("a.png"), runs, "subtitle", model => model[^1] * 0.01, "mean squared error", showReference: false, isFallback: false);
        using SKBitmap picture = SKBitmap.Decode(_folder.File("a.png"));
        Assert.True(picture.Height > 2 * 768);
        foreach (int top in new[] { 132, 132 + 768 })
            Assert.True(Enumerable.Range(top, 768).Any(y => picture.GetPixel(700, y) == _first || picture.GetPixel(600, y) == _first), $"no curve below {top}");
    }

    private static ComparedCurve Run(double rate, ulong seed, IReadOnlyList<EpochRecord> epochs, double above) =>
        new(rate, seed, [.. epochs.Select(epoch => epoch with { TrainLoss = epoch.TrainLoss + above, TestLoss = epoch.TestLoss + above })]);

    private static int Count(SKBitmap picture, int left, SKColor colour)
    {
        int count = 0;
        for (int y = 0; y < picture.Height; y++)
            for (int x = left; x < left + 1000; x++)
                count += picture.GetPixel(x, y) == colour ? 1 : 0;
        return count;
    }

    private SKBitmap Draw(bool showReference, params ComparedCurve[] curves)
    {
        ComparisonPlot.Save(_folder.File("a.png"), curves, "subtitle", _ => 0.469391, "mean squared error", showReference, isFallback: false);
        SKBitmap picture = SKBitmap.Decode(_folder.File("a.png"));
        Assert.Equal((2000, 1000), (picture.Width, picture.Height));
        return picture;
    }
}
