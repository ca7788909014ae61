using AutoencoderGpu.Models;
using SkiaSharp;

namespace AutoencoderGpu.App.Images;

public sealed partial class Picture
{
    /// <summary>The side of the models' input images.</summary>
    private const int Side = 28;

    /// <summary>Larger files are no photographs.</summary>
    private const long LongestFile = 100 << 20;

    /// <summary>Larger images are refused before memory is taken for them; a header can claim any size.</summary>
    private const long MaxPixels = 100_000_000;

    private const int MaxSide = 65_535;

    /// <summary>What is larger than this must have bytes to show for it: an evenly white page of a scanner has some hundred pixels a byte.</summary>
    private const long PlausiblePixels = 4_000_000;

    private const long MaxPixelsOfByte = 1000;

    /// <summary>Reads an image file as it is, at the models' size: 28×28 grey, 0 black.</summary>
    /// <remarks>
    /// Proportions stay (<see cref="GreyImage.ToSquare"/>). The digit is neither centred nor inverted, which
    /// <see cref="DigitImage.Prepare"/> does.
    /// </remarks>
    /// <param name="path">A PNG, JPEG, BMP or WebP file of any size.</param>
    /// <returns>(28, 28) bytes, row-major.</returns>
    /// <exception cref="UserError">The file is missing, damaged, too large or no image (<see cref="ExitCode.Data"/>).</exception>
    public static byte[] ReadGrey28(string path) => ReadGrey(path).ToSquare(Side);

    /// <summary>
    /// Reads an image file as grey, upright by its EXIF orientation. What is transparent is laid over black if the rest is light on
    /// average, over white if it is dark, so that either can be seen.
    /// </summary>
    /// <param name="path">A PNG, JPEG, BMP or WebP file of at most 100 million pixels.</param>
    /// <returns>The image at its own size.</returns>
    /// <exception cref="UserError">The file is missing, damaged, too large or no image (<see cref="ExitCode.Data"/>).</exception>
    public static GreyImage ReadGrey(string path)
    {
        using SKData data = ReadFile(path);
        using SKCodec codec = SKCodec.Create(data)
            ?? throw Error(path, "it is not an image that can be read; use a PNG, JPEG, BMP or WebP file.");
        int width = codec.Info.Width, height = codec.Info.Height;
        long count = (long)width * height;
        if (count > MaxPixels || Math.Max(width, height) > MaxSide)
            throw Error(path, $"{width}×{height} pixels are too many; scale it down.");
        if (count > PlausiblePixels && count / MaxPixelsOfByte > data.Size)
            throw Error(path, $"it says that it has {width}×{height} pixels, but holds {data.Size} bytes only; save or fetch it again.");

        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Premul);
        var rgba = new byte[info.BytesSize];
        SKCodecResult result;
        unsafe
        {
            fixed (byte* pixels = rgba)
                result = codec.GetPixels(info, (nint)pixels);
        }

        if (result != SKCodecResult.Success)
            throw Error(path, "it is damaged or cut off; save or fetch it again.");

        // Skia knows where JPEG and WebP have it.
        SKEncodedOrigin origin = codec.EncodedFormat is SKEncodedImageFormat.Png ? PngOrientation.Of(data.AsSpan()) : codec.EncodedOrigin;
        return Upright(new GreyImage(ToGrey(rgba), width, height), origin);
    }

    private static SKData ReadFile(string path)
    {
        if (path.Length == 0)
            throw new UserError(ExitCode.Usage, "an image has an empty name; name PNG, JPEG, BMP or WebP files.");
        if (Directory.Exists(path))
            throw Error(path, "it is a folder; name the images in it.");

        try
        {
            using FileStream file = InputFile.Open(path, LongestFile);
            return SKData.Create(file);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Error(path, "there is no such file.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw Error(path, e.Message.ReplaceLineEndings(" "), e);
        }
    }

    private static UserError Error(string path, string reason, Exception? inner = null) =>
        new(ExitCode.Data, $"Cannot read {path}: {reason}", inner);

    // Luma of ITU-R BT.601 in 16-bit fixed point, which leaves greys as they are. Colours come multiplied by alpha, so what is
    // missing to 255 is the share of what is behind them.
    private static byte[] ToGrey(byte[] rgba)
    {
        var grey = new byte[rgba.Length / 4];
        long light = 0, opaque = 0;
        for (int i = 0; i < grey.Length; i++)
        {
            int r = rgba[4 * i], g = rgba[4 * i + 1], b = rgba[4 * i + 2];
            grey[i] = (byte)((19595 * r + 38470 * g + 7471 * b + 32768) >> 16);
            light += grey[i];
            opaque += rgba[4 * i + 3];
        }

        bool isOverWhite = 2 * light <= opaque;
        if (isOverWhite && opaque < 255L * grey.Length)
            for (int i = 0; i < grey.Length; i++)
                grey[i] += (byte)(255 - rgba[4 * i + 3]);
        return grey;
    }

    // The origin says which corner of the upright image the stored first row and first column lie at: "right, top" is a stored
    // first row along the right side, from the top.
    private static GreyImage Upright(GreyImage image, SKEncodedOrigin origin)
    {
        if (origin is SKEncodedOrigin.TopLeft)
            return image;

        bool swapped = origin >= SKEncodedOrigin.LeftTop;
        int width = swapped ? image.Height : image.Width, height = swapped ? image.Width : image.Height;
        var pixels = new byte[width * height];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                int right = width - 1 - x, bottom = height - 1 - y;
                (int row, int column) = origin switch
                {
                    SKEncodedOrigin.TopRight => (y, right),
                    SKEncodedOrigin.BottomRight => (bottom, right),
                    SKEncodedOrigin.BottomLeft => (bottom, x),
                    SKEncodedOrigin.LeftTop => (x, y),
                    SKEncodedOrigin.RightTop => (right, y),
                    SKEncodedOrigin.RightBottom => (right, bottom),
                    SKEncodedOrigin.LeftBottom => (x, bottom),
                    _ => (y, x),
                };
                pixels[y * width + x] = image.Pixels[row * image.Width + column];
            }
        }

        return new GreyImage(pixels, width, height);
    }
}
