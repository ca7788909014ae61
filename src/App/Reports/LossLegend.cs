using AutoencoderGpu.App.Images;
using ScottPlot;

namespace AutoencoderGpu.App.Reports;

/// <summary>How a curve of a loss plot looks, in the plot and in its legend. Sizes are in points, two pixels each.</summary>
/// <param name="Name">As in the legend.</param>
/// <param name="Rgb">0xRRGGBB.</param>
/// <param name="LineWidth">Points.</param>
/// <param name="Pattern">Dashes.</param>
/// <param name="MarkerSize">Diameter of the dot at each epoch, 0 for none.</param>
internal sealed record CurveStyle(string Name, uint Rgb, float LineWidth, LinePattern Pattern, float MarkerSize = 0)
{
    /// <summary>The colour in ScottPlot's type.</summary>
    public Color Color => Color.FromARGB(0xFF000000 | Rgb);
}

/// <summary>
/// The legend below a loss plot. It stands outside the axes, where it covers no curve, whatever the curves are; ScottPlot's own
/// legend panels lose lines when a plot is scaled.
/// </summary>
internal static class LossLegend
{
    private const int TextSize = 24;
    private const int RowHeight = 40;
    private const int SampleWidth = 72;
    private const int AfterSample = 14;
    private const int BetweenColumns = 56;

    /// <summary>Pixels that a legend takes.</summary>
    /// <param name="columns">The entries, column by column; columns may differ in length.</param>
    public static int Height(IReadOnlyList<IReadOnlyList<CurveStyle>> columns) =>
        RowHeight * columns.Select(c => c.Count).DefaultIfEmpty(0).Max();

    /// <summary>Draws a legend, centred from left to right.</summary>
    /// <param name="picture">Where to draw.</param>
    /// <param name="columns">The entries, column by column.</param>
    /// <param name="top">Top edge.</param>
    public static void Draw(Picture picture, IReadOnlyList<IReadOnlyList<CurveStyle>> columns, int top)
    {
        float[] widths = [.. columns.Select(c => SampleWidth + AfterSample + c.Max(s => Picture.TextWidth(s.Name, TextSize)))];
        float x = (picture.Width - widths.Sum() - BetweenColumns * (columns.Count - 1)) / 2;
        for (int column = 0; column < columns.Count; column++)
        {
            for (int row = 0; row < columns[column].Count; row++)
                DrawEntry(picture, columns[column][row], x, top + row * RowHeight);
            x += widths[column] + BetweenColumns;
        }
    }

    private static void DrawEntry(Picture picture, CurveStyle style, float x, float top)
    {
        float middle = top + RowHeight / 2;
        // A line of no width would be drawn as the thinnest there is.
        if (style.LineWidth > 0)
        {
            picture.DrawLine(
                x, x + SampleWidth, middle, 2 * style.LineWidth, style.Rgb, Array.ConvertAll(style.Pattern.Intervals, i => 2 * i));
        }

        picture.DrawDot(x + SampleWidth / 2, middle, style.MarkerSize, style.Rgb);
        picture.DrawText(style.Name, x + SampleWidth + AfterSample, middle + 0.35f * TextSize, TextSize, Heading.Dark);
    }
}
