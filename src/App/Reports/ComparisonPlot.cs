using AutoencoderGpu.App.Images;
using ScottPlot;

namespace AutoencoderGpu.App.Reports;

/// <summary>A run in a comparison's plot.</summary>
/// <param name="LearningRate">Tells its colour.</param>
/// <param name="Seed">Tells it from others of the same rate.</param>
/// <param name="Epochs">Of one model; none if it collapsed.</param>
public sealed record ComparedCurve(double LearningRate, ulong Seed, IReadOnlyList<EpochRecord> Epochs);

/// <summary>
/// Draws <c>comparison.png</c>: a panel a model, a colour a learning rate, a line a seed. Runs of a single epoch become dots, seed
/// by seed.
/// </summary>
public static class ComparisonPlot
{
    private const int Width = 2000;
    private const int Margin = 40;
    private const int PanelTitle = 40;
    private const int MostInRow = 3;

    /// <summary>Of a row of panels with its titles.</summary>
    private const int RowHeight = 768;

    // Of two lines, so that usual pictures are equally high.
    private const int MinimalLegend = 80;

    /// <summary>Draws the curves.</summary>
    /// <param name="path">The PNG file, replaced if it exists; its folder must exist.</param>
    /// <param name="curves">At least one with an epoch.</param>
    /// <param name="subtitle">What the runs have in common.</param>
    /// <param name="floorOf">The lowest test loss that a model's output can reach on this data.</param>
    /// <param name="lossTitle">What the losses are.</param>
    /// <param name="showReference">Whether to draw the reference's curves before them.</param>
    /// <param name="isFallback">Whether the data is the built-in stand-in for MNIST.</param>
    /// <exception cref="UserError">The file cannot be written (<see cref="ExitCode.Failed"/>).</exception>
    public static void Save(
        string path, IReadOnlyList<ComparedCurve> curves, string subtitle, Func<string, double> floorOf, string lossTitle, bool showReference, bool isFallback)
    {
        double[] rates = [.. curves.Select(curve => curve.LearningRate).Distinct()];
        int seeds = curves.Select(curve => curve.Seed).Distinct().Count();
        var panels = curves.Where(curve => curve.Epochs.Count > 0).GroupBy(curve => curve.Epochs[0].Model).ToArray();
        bool bySeed = seeds > 1 && curves.All(curve => curve.Epochs.Count <= 1);

        CurveStyle[] tests = [.. rates.Select((rate, i) => Style(rate, i, "test", LinePattern.Solid, seeds, bySeed))];
        CurveStyle[] trains = [.. rates.Select((rate, i) => Style(rate, i, "training", LinePattern.DenselyDashed, seeds, bySeed))];
        var title = seeds > 1 ? $"Test loss of {seeds} seeds" : "Training and test loss" + (rates.Length > 1 ? " by learning rate" : "");
        var heading = new Heading(title, subtitle, isFallback);
        double[] floors = [.. panels.Select(panel => floorOf(panel.Key))];
        // As many rows as are needed, about equally long.
        int rows = (panels.Length + MostInRow - 1) / MostInRow, inRow = (panels.Length + rows - 1) / rows;
        int panelWidth = (Width - 2 * Margin) / inRow;
        var context = new List<CurveStyle>();
        var drawings = new List<byte[]>();
        for (int i = 0; i < panels.Length; i++)
        {
            ComparedCurve[] runs = [.. panels[i].Select(run => bySeed ? run with { Epochs = [.. run.Epochs.Select(epoch => AtSeed(epoch, run.Seed))] } : run)];
            IReadOnlyList<EpochRecord> reference = showReference && !bySeed ? ReferenceCurves.Of(panels[i].Key) : [];
            // Training losses of many seeds would only blur the picture, so they must not widen its axis either.
            EpochRecord[] drawn = [.. runs.SelectMany(run => run.Epochs).Concat(reference)
                .Select(epoch => seeds > 1 ? epoch with { TrainLoss = epoch.TestLoss } : epoch)];
            using Plot plot = LossAxes.Create(drawn, [floors[i]], lossTitle, bySeed ? "Seed" : "Epoch");
            context.Add(LossAxes.AddFloor(plot, floors[i]));
            foreach (ComparedCurve run in runs)
            {
                int colour = Array.IndexOf(rates, run.LearningRate);
                if (seeds == 1)
                    LossAxes.AddCurve(plot, run.Epochs, epoch => epoch.TrainLoss, trains[colour]);
                LossAxes.AddCurve(plot, run.Epochs, epoch => epoch.TestLoss, tests[colour]);
            }

            if (reference.Count > 0)
            {
                // Before them: behind the lines of many seeds it could not be seen.
                CurveStyle style = LossAxes.Reference(seeds > 1 ? "test loss" : "both losses") with { Rgb = 0x222222 };
                LossAxes.AddCurve(plot, reference, epoch => epoch.TestLoss, style);
                if (seeds == 1)
                    LossAxes.AddCurve(plot, reference, epoch => epoch.TrainLoss, style);
                context.Insert(0, style);
            }

            drawings.Add(plot.GetImageBytes(panelWidth, RowHeight - PanelTitle, ImageFormat.Png));
        }

        List<IReadOnlyList<CurveStyle>> legend = [.. rates.Select((_, i) => seeds > 1 ? new[] { tests[i] } : [trains[i], tests[i]])];
        legend.Add([.. context.DistinctBy(style => style.Name)]);
        int legendTop = heading.Height + rows * RowHeight, legendHeight = Math.Max(MinimalLegend, LossLegend.Height(legend, Width));
        using var picture = new Picture(Width, legendTop + legendHeight + Margin / 2);
        heading.Draw(picture, Margin);
        for (int i = 0; i < panels.Length; i++)
        {
            int left = Margin + i % inRow * panelWidth, top = heading.Height + i / inRow * RowHeight;
            picture.DrawText(LossPlot.NameOf(panels[i].Key), left + panelWidth / 2, top + 28, 28, Heading.Dark, TextAlign.Center);
            picture.DrawPng(drawings[i], left, top + PanelTitle);
        }

        LossLegend.Draw(picture, legend, legendTop);
        picture.SavePng(path);
    }

    private static CurveStyle Style(double rate, int index, string loss, LinePattern pattern, int seeds, bool bySeed) => new(
        $"learning rate {RateText.Of(rate)}, {loss}",
        Palette.Of(index),
        bySeed ? 0 : seeds > 1 ? 1 : 1.8f,
        pattern,
        bySeed || seeds == 1 ? LossAxes.DotSize : 0);

    private static EpochRecord AtSeed(EpochRecord epoch, ulong seed) => epoch with { Epoch = (int)Math.Min(seed, int.MaxValue) };
}
