using System.Globalization;
using AutoencoderGpu.App.Images;
using AutoencoderGpu.App.Reports;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace AutoencoderGpu.Benchmarks.Plot;

/// <summary>
/// Draws each operation under the measured roofs (S. Williams, A. Waterman, D. Patterson, Roofline, 2009): no operation computes
/// faster than multiply-adds in registers do, nor than its bytes come. Both axes are logarithmic; ScottPlot sees the exponents.
/// </summary>
internal static class RooflinePlot
{
    private const int Width = 2200, Height = 1360, Margin = 40, ListWidth = 740, LineHeight = 31;
    private const float LabelWidth = 34, LabelHeight = 28, LabelSize = 25;

    /// <summary>The data's distance from the edges of the plot, for axes and their names.</summary>
    private static readonly PixelPadding _padding = new(130, 20, 110, 20);

    /// <summary>Draws the picture.</summary>
    /// <param name="path">The PNG file, replaced if it exists.</param>
    /// <param name="timings">Of the same number of images.</param>
    /// <param name="subtitle">What was measured on what.</param>
    public static void Save(string path, IReadOnlyList<ModelTiming> timings, string subtitle)
    {
        var points = RooflinePoint.Of(timings);
        var heading = new Heading("Operations of a training step under the measured roofs", subtitle + " · a dot's area is its share of the time", IsFallback: false);
        using var picture = new Picture(Width, Height);
        heading.Draw(picture, Margin);
        picture.DrawPng(Draw(points, timings[0], Width - ListWidth - 2 * Margin, Height - heading.Height - Margin / 2), Margin, heading.Height);
        DrawList(picture, points, heading.Height + 40);
        picture.SavePng(path);
    }

    private static byte[] Draw(IReadOnlyList<RooflinePoint> points, ModelTiming roofs, int width, int height)
    {
        using var plot = new ScottPlot.Plot();
        Font.Apply(plot);
        var peak = Math.Log10(roofs.PeakGflops);
        var limits = new AxisLimits(
            Math.Log10(0.6 * points.Min(point => point.Intensity)),
            Math.Log10(2.2 * Math.Max(points.Max(point => point.Intensity), roofs.PeakGflops / roofs.MemoryGbPerSecond)),
            Math.Log10(0.5 * Math.Max(points.Min(point => point.Gflops), 1e-4 * roofs.PeakGflops)),
            Math.Log10(2 * Math.Max(points.Max(point => point.Gflops), roofs.PeakGflops)));
        plot.Axes.SetLimits(limits);
        plot.Layout.Fixed(_padding);
        StyleAxis(plot.Axes.Bottom, "FLOPs a byte", limits.Left, limits.Right);
        StyleAxis(plot.Axes.Left, "GFLOP/s", limits.Bottom, limits.Top);
        plot.Axes.Right.IsVisible = plot.Axes.Top.IsVisible = false;
        plot.Grid.MajorLineColor = Color.FromHex("#E4E4E4");

        var area = new PixelRect(_padding.Left, width - _padding.Right, height - _padding.Bottom, _padding.Top);
        double perDecadeX = area.Width / limits.HorizontalSpan, perDecadeY = area.Height / limits.VerticalSpan;
        var slope = (float)(-Math.Atan2(perDecadeY, perDecadeX) * 180 / Math.PI);
        // Above the upper roof there is nothing; below the lower one there is less than between them.
        AddRoof(plot, limits, peak, Math.Log10(roofs.CacheGbPerSecond), Format($"second caches {roofs.CacheGbPerSecond:0} GB/s"), slope, isTextAbove: true);
        AddRoof(plot, limits, peak, Math.Log10(roofs.MemoryGbPerSecond), Format($"memory {roofs.MemoryGbPerSecond:0.#} GB/s"), slope, isTextAbove: false);
        AddText(plot, Format($"multiply-adds in registers {roofs.PeakGflops:0} GFLOP/s"), new(peak - Math.Log10(roofs.CacheGbPerSecond), peak), Alignment.LowerLeft, 0);

        Pixel[] dots =
        [
            .. points.Select(point => new Pixel(
                area.Left + (Math.Log10(point.Intensity) - limits.Left) * perDecadeX,
                area.Bottom - (Math.Log10(point.Gflops) - limits.Bottom) * perDecadeY)),
        ];
        float[] radii = [.. points.Select(point => 6 + 30 * (float)Math.Sqrt(point.Share))];
        var places = Labels.Place(dots, radii, LabelWidth, LabelHeight, area);
        // The large ones lie behind.
        foreach (var index in Enumerable.Range(0, points.Count).OrderByDescending(index => radii[index]))
        {
            var color = ColorOf(points[index]);
            plot.Add.Line(At(Edge(dots[index], places[index], radii[index])), At(places[index])).LineStyle =
                new() { Color = color.WithAlpha(0.55), Width = 1.5f };
            var marker = plot.Add.Marker(At(dots[index]), MarkerShape.FilledCircle, 2 * radii[index], color.WithAlpha(0.55));
            marker.MarkerStyle.OutlineColor = Colors.White;
            marker.MarkerStyle.OutlineWidth = 1.5f;
        }

        foreach (var index in Enumerable.Range(0, points.Count))
        {
            var label = plot.Add.Text(points[index].Number.ToString(CultureInfo.InvariantCulture), At(places[index]));
            label.LabelFontColor = ColorOf(points[index]);
            label.LabelFontSize = LabelSize;
            label.LabelBold = true;
            label.LabelAlignment = Alignment.MiddleCenter;
            label.LabelBorderWidth = 0;
            label.LabelBackgroundColor = Colors.White.WithAlpha(0.8);
            label.LabelPadding = 1;
        }

        return plot.GetImageBytes(width, height, ImageFormat.Png);

        Coordinates At(Pixel pixel) =>
            new(limits.Left + (pixel.X - area.Left) / perDecadeX, limits.Bottom + (area.Bottom - pixel.Y) / perDecadeY);
    }

    /// <summary>Where the line from a dot to its label leaves the dot.</summary>
    private static Pixel Edge(Pixel dot, Pixel label, float radius)
    {
        var share = radius / MathF.Max(radius, MathF.Sqrt(MathF.Pow(label.X - dot.X, 2) + MathF.Pow(label.Y - dot.Y, 2)));
        return new(dot.X + share * (label.X - dot.X), dot.Y + share * (label.Y - dot.Y));
    }

    /// <summary>A roof that rises with the intensity as far as the peak, where it turns level.</summary>
    private static void AddRoof(ScottPlot.Plot plot, AxisLimits limits, double peak, double bandwidth, string text, float slope, bool isTextAbove)
    {
        var ridge = peak - bandwidth;
        var left = Math.Max(limits.Left, limits.Bottom - bandwidth);
        Coordinates[] corners = [new(left, left + bandwidth), new(ridge, peak), new(limits.Right, peak)];
        var line = plot.Add.ScatterLine(corners, Color.FromHex("#333333"));
        line.LineWidth = 3;
        var start = left + 0.03 * limits.HorizontalSpan;
        AddText(plot, text, new(start, start + bandwidth), isTextAbove ? Alignment.LowerLeft : Alignment.UpperLeft, slope);
    }

    private static void AddText(ScottPlot.Plot plot, string text, Coordinates at, Alignment alignment, float rotation)
    {
        var label = plot.Add.Text(text, at);
        label.LabelAlignment = alignment;
        label.LabelRotation = rotation;
        label.LabelFontSize = 25;
        label.LabelFontColor = Color.FromHex("#333333");
        label.LabelPadding = 6;
        label.OffsetY = alignment is Alignment.LowerRight ? -6 : 0;
    }

    private static void StyleAxis(IAxis axis, string name, double low, double high)
    {
        var ticks = new NumericManual();
        for (var decade = (int)Math.Floor(low); decade <= high; decade++)
        {
            ticks.AddMajor(decade, Math.Pow(10, decade).ToString("0.####", CultureInfo.InvariantCulture));
            for (var digit = 2; digit < 10; digit++)
                ticks.AddMinor(decade + Math.Log10(digit));
        }

        axis.TickGenerator = ticks;
        axis.TickLabelStyle.FontSize = 26;
        axis.Label.Text = name;
        axis.Label.Bold = false;
        axis.Label.FontSize = 28;
        axis.MajorTickStyle.Length = 10;
        axis.MinorTickStyle.Length = 5;
    }

    /// <summary>What the numbers mean, beside the plot.</summary>
    private static void DrawList(Picture picture, IReadOnlyList<RooflinePoint> points, int top)
    {
        const int left = Width - ListWidth - Margin / 2, right = Width - Margin;
        var y = top;
        foreach (var model in points.GroupBy(point => point.Model))
        {
            var title = model.Key == "fc" ? "Fully connected" : "Convolutional";
            picture.DrawText(title, left, y, 26, ColorNumber(model.Key), TextAlign.Left, bold: true);
            picture.DrawText("share of time", right, y, 21, Heading.Grey, TextAlign.Right, bold: false);
            y += LineHeight;
            foreach (var point in model)
            {
                picture.DrawText(Format($"{point.Number}"), left + 34, y, 22, ColorNumber(model.Key), TextAlign.Right, bold: true);
                picture.DrawText(point.Title, left + 46, y, 22, Heading.Dark, TextAlign.Left, bold: false);
                picture.DrawText(Format($"{point.Share:0.0 %}"), right, y, 22, Heading.Dark, TextAlign.Right, bold: false);
                y += LineHeight;
            }

            y += LineHeight / 2;
        }
    }

    // Okabe and Ito's blue and vermillion, as in the plots of losses.
    private static uint ColorNumber(string model) => model == "fc" ? 0x0072B2u : 0xD55E00u;

    private static Color ColorOf(RooflinePoint point) => Color.FromHex(ColorNumber(point.Model).ToString("X6", CultureInfo.InvariantCulture));

    private static string Format(FormattableString text) => FormattableString.Invariant(text);
}
