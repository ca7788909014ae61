using System.Globalization;
using AutoencoderGpu.App.Images;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace AutoencoderGpu.App.Reports;

/// <summary>Axes with losses by epoch, and curves between them.</summary>
internal static class LossAxes
{
    /// <summary>Many dots would hide the line.</summary>
    public const int MostDots = 30;

    /// <summary>Diameter of a dot, in points.</summary>
    public const float DotSize = 6;

    // Lines and text have twice their usual size in pixels.
    private const int Scale = 2;

    /// <summary>Creates a plot with limits, ticks and titles for what is to be drawn, and without what is not needed.</summary>
    /// <param name="drawn">All epochs that will be drawn.</param>
    /// <param name="floors">Losses that will be drawn as lines.</param>
    /// <param name="lossTitle">What the losses are.</param>
    /// <param name="across">Title of the axis from left to right, along which <see cref="EpochRecord.Epoch"/> counts.</param>
    public static Plot Create(IReadOnlyCollection<EpochRecord> drawn, IReadOnlyCollection<double> floors, string lossTitle, string across = "Epoch")
    {
        var plot = new Plot { ScaleFactor = Scale };
        Font.Apply(plot);
        int first = drawn.Select(e => e.Epoch).DefaultIfEmpty(1).Min();
        int last = drawn.Select(e => e.Epoch).DefaultIfEmpty(1).Max();
        double[] losses =
        [
            .. drawn.SelectMany(e => new[] { e.TrainLoss, e.TestLoss }).Where(double.IsFinite),
            .. floors.Where(double.IsFinite),
        ];
        double low = losses.DefaultIfEmpty(0).Min(), high = losses.DefaultIfEmpty(1).Max();
        double margin = high > low ? 0.04 * (high - low) : Math.Max(0.05 * Math.Abs(high), 1e-3);
        (low, high) = (low - margin, high + margin);

        double side = last > first ? 0.03 * (last - first) : 0.5;
        plot.Axes.SetLimits(first - side, last + side, low, high);
        plot.Axes.Bottom.TickGenerator = new NumericManual(Ticks.Between(first, last, 12, smallestStep: 1));
        plot.Axes.Left.TickGenerator = new NumericManual(Ticks.Between(low, high, 8));
        plot.XLabel(across, 14);
        plot.YLabel(char.ToUpperInvariant(lossTitle[0]) + lossTitle[1..], 14);

        foreach (IAxis axis in new IAxis[] { plot.Axes.Bottom, plot.Axes.Left })
        {
            axis.Label.Bold = false;
            axis.TickLabelStyle.FontSize = 13;
        }

        plot.Axes.Right.IsVisible = plot.Axes.Top.IsVisible = false;
        plot.Grid.MajorLineColor = Color.FromHex("#E4E4E4");
        plot.Legend.IsVisible = false;
        return plot;
    }

    /// <summary>How the published curves look.</summary>
    public static CurveStyle Reference(string which) => new($"PyTorch reference, {which}", 0x9A9A9A, 1.8f, LinePattern.Dotted);

    /// <summary>Draws the lowest test loss that a model's output can reach.</summary>
    /// <returns>For the legend.</returns>
    public static CurveStyle AddFloor(Plot plot, double floor)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"floor of the test loss: {floor:F4}");
        var style = new CurveStyle(name, 0x555555, 1, LinePattern.Solid);
        plot.Add.HorizontalLine(floor, style.LineWidth, style.Color);
        return style;
    }

    /// <summary>Draws a curve, one line for each stretch of consecutive epochs whose losses are finite.</summary>
    public static void AddCurve(Plot plot, IEnumerable<EpochRecord> epochs, Func<EpochRecord, double> loss, CurveStyle style)
    {
        var stretch = new List<Coordinates>();
        foreach (EpochRecord e in epochs)
        {
            bool follows = stretch.Count > 0 && stretch[^1].X + 1 == e.Epoch;
            if (!follows || !double.IsFinite(loss(e)))
                Flush();
            if (double.IsFinite(loss(e)))
                stretch.Add(new Coordinates(e.Epoch, loss(e)));
        }

        Flush();

        void Flush()
        {
            if (stretch.Count == 0)
                return;
            var line = plot.Add.Scatter(stretch.ToArray(), style.Color);
            line.LineWidth = style.LineWidth;
            line.LinePattern = style.Pattern;
            // A single epoch between gaps has no line to be seen by.
            line.MarkerSize = stretch.Count > 1 ? style.MarkerSize : DotSize;
            stretch.Clear();
        }
    }
}
