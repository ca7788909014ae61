using ScottPlot;
using SkiaSharp;

namespace AutoencoderGpu.App.Images;

/// <summary>
/// The one font of all plots and pictures, embedded in the program: a machine may have no font at all, and then ScottPlot and
/// Skia draw no text and say nothing. It also keeps pictures the same from machine to machine.
/// </summary>
internal static class Font
{
    /// <summary>The name by which ScottPlot knows the font.</summary>
    public const string Family = "Roboto";

    /// <summary>The font at its normal weight.</summary>
    public static SKTypeface Regular { get; } = Load("Roboto-Regular.ttf");

    /// <summary>The font for titles.</summary>
    public static SKTypeface Bold { get; } = Load("Roboto-Bold.ttf");

    static Font()
    {
        // First in the list, so that an installed font of the same name does not come before it.
        Fonts.FontResolvers.Insert(0, new Resolver());
        Fonts.Default = Family;
    }

    /// <summary>Makes a plot use the font everywhere.</summary>
    /// <param name="plot">Set before its texts are.</param>
    public static void Apply(Plot plot) => plot.Font.Set(Family);

    private static SKTypeface Load(string resource)
    {
        using Stream stream = typeof(Font).Assembly.GetManifestResourceStream(resource)!;
        return SKTypeface.FromStream(stream);
    }

    // Whatever ScottPlot asks for, Family or a name it finds itself, it gets this font.
    private sealed class Resolver : IFontResolver
    {
        public SKTypeface CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) =>
            weight >= FontWeight.SemiBold ? Bold : Regular;

        public SKTypeface CreateTypeface(string fontName, bool bold, bool italic) => bold ? Bold : Regular;
    }
}
