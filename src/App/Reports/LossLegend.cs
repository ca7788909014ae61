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
    private const int Margin = 20;

    /// <summary>Pixels that a legend takes.</summary>
    /// <param name="columns">The entries, column by column; columns may differ in length.</param>
    /// <param name="width">Pixels of the picture.</param>
    public static int Height(IReadOnlyList<IReadOnlyList<CurveStyle>> columns, int width) => Bands(columns, width).Sum(HeightOf);

    /// <summary>Draws a legend, centred from left to right; columns that do not fit beside the others stand below them.</summary>
    /// <param name="picture">Where to draw.</param>
    /// <param name="columns">The entries, column by column.</param>
    /// <param name="top">Top edge.</param>
    public static void Draw(Picture picture, IReadOnlyList<IReadOnlyList<CurveStyle>> columns, int top)
    {
        foreach (List<IReadOnlyList<CurveStyle>> band in Bands(columns, picture.Width))
        {
            float x = (picture.Width - WidthOf(band)) / 2;
            foreach (IReadOnlyList<CurveStyle> column in band)
            {
                for (int row = 0; row < column.Count; row++)
                    DrawEntry(picture, column[row], x, top + row * RowHeight);
                x += WidthOf(column) + BetweenColumns;
            }

            top += HeightOf(band);
        }
    }

    /// <summary>The columns that stand beside one another.</summary>
    private static List<List<IReadOnlyList<CurveStyle>>> Bands(IReadOnlyList<IReadOnlyList<CurveStyle>> columns, int width)
    {
        var bands = new List<List<IReadOnlyList<CurveStyle>>>();
        foreach (IReadOnlyList<CurveStyle> column in columns.Where(column => column.Count > 0))
        {
            if (bands.Count > 0 && WidthOf(bands[^1]) + BetweenColumns + WidthOf(column) <= width - 2 * Margin)
                bands[^1].Add(column);
            else
                bands.Add([column]);
        }

        return bands;
    }

    private static int HeightOf(List<IReadOnlyList<CurveStyle>> band) => RowHeight * band.Max(column => column.Count);

    private static float WidthOf(List<IReadOnlyList<CurveStyle>> band) => band.Sum(WidthOf) + BetweenColumns * (band.Count - 1);

    private static float WidthOf(IReadOnlyList<CurveStyle> column) =>
        SampleWidth + AfterSample + column.Max(style => Picture.TextWidth(style.Name, TextSize));

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
