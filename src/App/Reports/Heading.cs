using AutoencoderGpu.App.Images;

namespace AutoencoderGpu.App.Reports;

/// <summary>The lines above a picture: a title, what it shows, and loudly that the data is not MNIST where it is not.</summary>
/// <param name="Title">Written bold.</param>
/// <param name="Subtitle">Written below, smaller.</param>
/// <param name="IsFallback">Whether the built-in synthetic digits stood in for MNIST, unasked.</param>
internal sealed record Heading(string Title, string Subtitle, bool IsFallback)
{
    /// <summary>What the band above the title says when the data is the fallback.</summary>
    public const string Warning = "SYNTHETIC DATA: MNIST was not found, these are not its results";

    /// <summary>Ink of titles.</summary>
    public const uint Dark = 0x1A1A1A;

    /// <summary>Ink of everything that explains.</summary>
    public const uint Grey = 0x555555;

    private const uint Red = 0xB3001B;
    private const int Band = 64;

    /// <summary>Pixels from the picture's top that the heading takes.</summary>
    public int Height => 132 + (IsFallback ? Band : 0);

    /// <summary>Draws the heading at the top of a picture.</summary>
    /// <param name="picture">At least as high as <see cref="Height"/>; a text wider than the picture is made smaller.</param>
    /// <param name="left">Where the lines begin, and the margin on the right.</param>
    public void Draw(Picture picture, int left)
    {
        int top = 0;
        if (IsFallback)
        {
            picture.FillRectangle(0, 0, picture.Width, Band, Red);
            DrawFitting(picture, Warning, left, 44, 32, 0xFFFFFF, bold: true);
            top = Band;
        }

        DrawFitting(picture, Title, left, top + 66, 40, Dark, bold: true);
        DrawFitting(picture, Subtitle, left, top + 108, 26, Grey, bold: false);
    }

    private static void DrawFitting(Picture picture, string text, int left, int baseline, float size, uint colour, bool bold)
    {
        float width = Picture.TextWidth(text, size, bold);
        float fitting = Math.Min(1, (picture.Width - 2 * left) / Math.Max(width, 1));
        picture.DrawText(text, left, baseline, size * fitting, colour, TextAlign.Left, bold);
    }
}
