using AutoencoderGpu.App.Images;
using AutoencoderGpu.App.Reports;
using SkiaSharp;
using Xunit;

namespace AutoencoderGpu.Tests.App.Reports;

public sealed class PlotTests : IDisposable
{
    private static readonly LossPlotOptions _options = new("MNIST", 1.0, 10, 1)
    {
        Floors = [0.469391],
        ShowReference = true,
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Cases => ["both", "one epoch", "one model", "hundred", "missing", "none", "equal", "unknown"];

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_plot_has_its_size_and_text_whatever_the_losses(string name)
    {
        EpochRecord[] both = [.. ReferenceCurves.Fc, .. ReferenceCurves.Conv];
        (EpochRecord[] epochs, LossPlotOptions options) = name switch
        {
            "both" => (both, _options),
            "one epoch" => ([both[0]], _options with { ShowReference = false }),
            "one model" => (both[10..], _options),
            "hundred" => ([.. Enumerable.Range(1, 100).Select(i => both[0] with { Epoch = i, TestLoss = 0.5 + 0.1 / i })], _options),
            "missing" => ([both[0], both[1] with { TrainLoss = double.NaN, TestLoss = double.PositiveInfinity }, both[3]], _options),
            "none" => ([], _options with { Floors = [] }),
            "equal" => ([both[0] with { TrainLoss = 0, TestLoss = 0 }], _options with { Floors = [], ShowReference = false }),
            _ => (new[] { both[0] with { Model = "other" } }, _options),
        };

        LossPlot.Save(_folder.File("loss-curves.png"), epochs, options);

        using SKBitmap picture = SKBitmap.Decode(_folder.File("loss-curves.png"));
        Assert.Equal((LossPlot.Width, LossPlot.Height), (picture.Width, picture.Height));
        Assert.True(Ink(picture, 40, 20, 500, 60) > 500, "no title");
        Assert.True(Ink(picture, 40, 80, 500, 40) > 500, "no subtitle");
        Assert.True(Ink(picture, 52, 200, 24, 600) > 200, "ScottPlot drew no axis label");
        Assert.Equal(["loss-curves.png"], _folder.Names);
    }

    [Fact]
    public void Curves_have_their_colours_and_the_legend_is_below_them()
    {
        LossPlot.Save(_folder.File("a.png"), [.. ReferenceCurves.Fc, .. ReferenceCurves.Conv], _options);

        using SKBitmap picture = SKBitmap.Decode(_folder.File("a.png"));
        foreach (SKColor colour in new[] { new SKColor(0xFF0072B2), new SKColor(0xFFD55E00) })
        {
            Assert.True(Count(picture, 0, 0, 1600, 850, colour) > 1000);
            Assert.True(Count(picture, 0, 880, 1600, 120, colour) > 100);
        }
    }

    [Fact]
    public void Ten_models_with_long_names_have_a_colour_each_and_a_legend_within_the_picture()
    {
        string[] names = ["fc", "conv", .. Enumerable.Range(1, 8).Select(i => $"conv{i}relu-pool-flatten-dense32_dense-{i:0000}")];
        LossPlot.Save(
            _folder.File("a.png"),
            [.. names.SelectMany((name, i) => ReferenceCurves.Fc.Select(epoch => epoch with { Model = name, TestLoss = epoch.TestLoss + i * 0.01 }))],
            _options);

        using SKBitmap picture = SKBitmap.Decode(_folder.File("a.png"));
        Assert.True(picture.Height > LossPlot.Height);
        Assert.Equal(0, Ink(picture, 0, 860, 20, picture.Height - 860) + Ink(picture, 1580, 860, 20, picture.Height - 860));
        Assert.Equal(0, Ink(picture, 0, picture.Height - 8, 1600, 8));
        for (int i = 0; i < names.Length; i++)
            Assert.True(Count(picture, 0, 880, 1600, picture.Height - 880, new SKColor(0xFF000000 | Palette.Of(i))) > 100, names[i]);
    }

    [Fact]
    public void The_same_data_gives_the_same_file()
    {
        LossPlot.Save(_folder.File("a.png"), ReferenceCurves.Fc, _options);
        LossPlot.Save(_folder.File("b.png"), [.. ReferenceCurves.Fc.Reverse()], _options);

        Assert.Equal(File.ReadAllBytes(_folder.File("a.png")), File.ReadAllBytes(_folder.File("b.png")));
    }

    [Fact]
    public void Synthetic_data_is_said_loudly()
    {
        LossPlot.Save(_folder.File("a.png"), ReferenceCurves.Fc, _options with { IsFallback = true });

        using SKBitmap picture = SKBitmap.Decode(_folder.File("a.png"));
        Assert.True(Count(picture, 0, 0, 1600, 64, new SKColor(0xFFB3001B)) > 50_000, "no band");
        Assert.True(Count(picture, 0, 0, 1600, 64, SKColors.White) > 1000, "no text on it");
    }

    [Fact]
    public void Ticks_are_round_and_alike()
    {
        Assert.Equal(["0.48", "0.50", "0.52", "0.54", "0.56", "0.58", "0.60"], Ticks.Between(0.465, 0.605, 8).Select(t => t.Label));
        Assert.Equal(["1", "2", "3"], Ticks.Between(1, 3, 12, smallestStep: 1).Select(t => t.Label));
        Assert.Equal(["1"], Ticks.Between(1, 1, 12, smallestStep: 1).Select(t => t.Label));
        Assert.Equal([10.0, 20, 30, 40, 50, 60, 70, 80, 90, 100], Ticks.Between(1, 100, 12, smallestStep: 1).Select(t => t.Position));
        Assert.Equal(["0", "500", "1000"], Ticks.Between(-3, 1003, 4).Select(t => t.Label));
    }

    [Fact]
    public void The_font_draws_letters()
    {
        using var a = new Picture(200, 60);
        a.DrawText("Wide", 10, 45, 40, 0, TextAlign.Left);
        a.SavePng(_folder.File("a.png"));

        using SKBitmap picture = SKBitmap.Decode(_folder.File("a.png"));
        Assert.Equal("Roboto", Font.Regular.FamilyName);
        Assert.True(Font.Bold.IsBold);
        Assert.InRange(Picture.TextWidth("Wide", 40), 70, 100);
        Assert.True(Ink(picture, 10, 10, 90, 40) > 200);
        Assert.Equal(0, Ink(picture, 120, 0, 80, 60));
        // A font without glyphs draws the same box for every letter.
        Assert.NotEqual(Picture.TextWidth("i", 40), Picture.TextWidth("W", 40));
        Assert.All("×µ·−²…", c => Assert.NotEqual(0, Font.Regular.GetGlyph(c)));
    }

    // Pixels that are clearly not white.
    private static int Ink(SKBitmap picture, int left, int top, int width, int height) =>
        Count(picture, left, top, width, height, c => c.Red + c.Green + c.Blue < 600);

    private static int Count(SKBitmap picture, int left, int top, int width, int height, SKColor colour) =>
        Count(picture, left, top, width, height, c => c == colour);

    private static int Count(SKBitmap picture, int left, int top, int width, int height, Func<SKColor, bool> counts)
    {
        SKColor[] pixels = picture.Pixels;
        int sum = 0;
        for (int y = top; y < top + height; y++)
            for (int x = left; x < left + width; x++)
                sum += counts(pixels[y * picture.Width + x]) ? 1 : 0;
        return sum;
    }
}
