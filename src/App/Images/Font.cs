using System.Globalization;
using System.Text;
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

    private static readonly Lazy<List<SKTypeface>> _installed = new(() => [.. Installed()]);

    static Font()
    {
        // First in the list, so that an installed font of the same name does not come before it.
        Fonts.FontResolvers.Insert(0, new Resolver());
        Fonts.Default = Family;
    }

    /// <summary>Makes a plot use the font everywhere.</summary>
    /// <param name="plot">Set before its texts are.</param>
    public static void Apply(Plot plot) => plot.Font.Set(Family);

    /// <summary>
    /// What a text is written with, and how: where the font lacks a letter, another one of the machine that has all of them, and where there is
    /// none, the letters' numbers, such as \u6570, by which names can still be told apart.
    /// </summary>
    /// <param name="text">One line.</param>
    /// <param name="bold">Whether it should be bold.</param>
    public static (SKTypeface Typeface, string Text) For(string text, bool bold)
    {
        SKTypeface own = bold ? Bold : Regular;
        if (own.ContainsGlyphs(text))
            return (own, text);
        if (_installed.Value.FirstOrDefault(typeface => typeface.ContainsGlyphs(text)) is { } other)
            return (other, text);
        return (own, string.Concat(text.EnumerateRunes().Select(rune =>
            Has(own, rune) ? rune.ToString() : string.Create(CultureInfo.InvariantCulture, $"\\u{rune.Value:X4}"))));
    }

    /// <summary>The machine's fonts, of which Skia without fontconfig knows nothing.</summary>
    private static IEnumerable<SKTypeface> Installed()
    {
        string[] folders =
        [
            Environment.GetFolderPath(Environment.SpecialFolder.Fonts), "/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "/System/Library/Fonts",
        ];
        var all = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true };
        return from folder in folders
               where Directory.Exists(folder)
               from file in Directory.EnumerateFiles(folder, "*.?t?", all).Order(StringComparer.Ordinal)
               let typeface = SKTypeface.FromFile(file)
               where typeface is not null
               select typeface;
    }

    private static bool Has(SKTypeface typeface, Rune rune) => typeface.ContainsGlyphs(rune.ToString());

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
