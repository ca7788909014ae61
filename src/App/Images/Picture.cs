using AutoencoderGpu.App.Reports;
using SkiaSharp;

namespace AutoencoderGpu.App.Images;

/// <summary>Where a text stands relative to its position.</summary>
public enum TextAlign
{
    /// <summary>The position is the text's left end.</summary>
    Left,

    /// <summary>The position is the text's middle.</summary>
    Center,

    /// <summary>The position is the text's right end.</summary>
    Right,
}

/// <summary>
/// A white picture to draw on, in pixels from the top left corner, and the reading of image files (the other half of the class).
/// It is the only place that handles pixels through Skia. Colours are 0xRRGGBB.
/// </summary>
public sealed partial class Picture : IDisposable
{
    private readonly SKBitmap _bitmap;
    private readonly SKCanvas _canvas;

    /// <summary>Creates a white picture.</summary>
    /// <param name="width">Pixels, at least 1.</param>
    /// <param name="height">Pixels, at least 1.</param>
    public Picture(int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        _bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        _canvas = new SKCanvas(_bitmap);
        _canvas.Clear(SKColors.White);
    }

    /// <summary>Pixels from left to right.</summary>
    public int Width => _bitmap.Width;

    /// <summary>Pixels from top to bottom.</summary>
    public int Height => _bitmap.Height;

    /// <summary>Draws a grey image, each of its pixels a sharp square.</summary>
    /// <param name="pixels">(rows, <paramref name="columns"/>) bytes, row-major; 0 is black.</param>
    /// <param name="columns">Columns of the image.</param>
    /// <param name="x">Left edge.</param>
    /// <param name="y">Top edge.</param>
    /// <param name="scale">Side of a square in pixels.</param>
    public void DrawGrey(ReadOnlySpan<byte> pixels, int columns, int x, int y, int scale)
    {
        for (int i = 0; i < pixels.Length; i++)
        {
            uint grey = pixels[i];
            FillRectangle(x + i % columns * scale, y + i / columns * scale, scale, scale, grey << 16 | grey << 8 | grey);
        }
    }

    /// <summary>Fills a rectangle with one colour, edges sharp.</summary>
    /// <param name="x">Left edge.</param>
    /// <param name="y">Top edge.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="colour">0xRRGGBB.</param>
    public void FillRectangle(int x, int y, int width, int height, uint colour)
    {
        using var paint = new SKPaint { Color = Opaque(colour) };
        _canvas.DrawRect(x, y, width, height, paint);
    }

    /// <summary>Draws a horizontal line.</summary>
    /// <param name="left">Its left end.</param>
    /// <param name="right">Its right end.</param>
    /// <param name="y">Its middle.</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="colour">0xRRGGBB.</param>
    /// <param name="dashes">Lengths of dashes and gaps in turn, in pixels; empty for a solid line.</param>
    public void DrawLine(float left, float right, float y, float width, uint colour, float[] dashes)
    {
        using SKPathEffect? effect = dashes.Length > 0 ? SKPathEffect.CreateDash(dashes, 0) : null;
        using var paint = new SKPaint { Color = Opaque(colour), IsAntialias = true, StrokeWidth = width, PathEffect = effect };
        _canvas.DrawLine(left, y, right, y, paint);
    }

    /// <summary>Draws a filled circle.</summary>
    /// <param name="x">Its middle.</param>
    /// <param name="y">Its middle.</param>
    /// <param name="radius">Pixels; 0 draws nothing.</param>
    /// <param name="colour">0xRRGGBB.</param>
    public void DrawDot(float x, float y, float radius, uint colour)
    {
        using var paint = new SKPaint { Color = Opaque(colour), IsAntialias = true };
        _canvas.DrawCircle(x, y, radius, paint);
    }

    /// <summary>Writes one line of text in the program's font.</summary>
    /// <param name="text">What to write.</param>
    /// <param name="x">Where the text begins, has its middle or ends, by <paramref name="align"/>.</param>
    /// <param name="baseline">The line the letters stand on.</param>
    /// <param name="size">Height of the font in pixels; a capital letter is about 0.7 of it.</param>
    /// <param name="colour">0xRRGGBB.</param>
    /// <param name="align">What <paramref name="x"/> means.</param>
    /// <param name="bold">Whether to write it bold.</param>
    public void DrawText(
        string text, float x, float baseline, float size, uint colour, TextAlign align = TextAlign.Left, bool bold = false)
    {
        (SKTypeface typeface, text) = Font.For(text, bold);
        using SKFont font = CreateFont(typeface, size);
        using var paint = new SKPaint { Color = Opaque(colour), IsAntialias = true };
        _canvas.DrawText(text, x, baseline, (SKTextAlign)align, font, paint);
    }

    /// <summary>How wide <see cref="DrawText"/> would write a text.</summary>
    /// <param name="text">One line.</param>
    /// <param name="size">Height of the font in pixels.</param>
    /// <param name="bold">Whether it would be bold.</param>
    /// <returns>Pixels.</returns>
    public static float TextWidth(string text, float size, bool bold = false)
    {
        (SKTypeface typeface, text) = Font.For(text, bold);
        using SKFont font = CreateFont(typeface, size);
        return font.MeasureText(text);
    }

    /// <summary>Copies an encoded image onto the picture, pixel by pixel.</summary>
    /// <param name="encoded">A whole PNG file.</param>
    /// <param name="x">Left edge.</param>
    /// <param name="y">Top edge.</param>
    public void DrawPng(byte[] encoded, int x, int y)
    {
        using SKBitmap image = SKBitmap.Decode(encoded);
        _canvas.DrawBitmap(image, x, y);
    }

    /// <summary>Writes the picture as a PNG file, whole or not at all.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <exception cref="UserError">The file cannot be written (<see cref="ExitCode.Failed"/>).</exception>
    public void SavePng(string path)
    {
        using SKData data = _bitmap.Encode(SKEncodedImageFormat.Png, 100);
        AtomicFile.Write(path, data.SaveTo);
    }

    /// <summary>Frees the picture's memory.</summary>
    public void Dispose()
    {
        _canvas.Dispose();
        _bitmap.Dispose();
    }

    private static SKColor Opaque(uint colour) => new(0xFF000000 | colour);

    // No hinting: it follows the machine's settings, and letters of this size do not need it.
    private static SKFont CreateFont(SKTypeface typeface, float size) => new(typeface, size)
    {
        Edging = SKFontEdging.Antialias,
        Hinting = SKFontHinting.None,
        Subpixel = true,
    };
}
