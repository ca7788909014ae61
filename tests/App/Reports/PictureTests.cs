using System.Buffers.Binary;
using AutoencoderGpu.App;
using AutoencoderGpu.App.Images;
using SkiaSharp;
using Xunit;

namespace AutoencoderGpu.Tests.App.Reports;

public sealed class PictureTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_28_by_28_grey_image_comes_back_bit_by_bit()
    {
        byte[] pixels = [.. Enumerable.Range(0, 784).Select(i => (byte)(i * 37))];
        using (var picture = new Picture(28, 28))
        {
            picture.DrawGrey(pixels, 28, 0, 0, 1);
            picture.SavePng(_folder.File("a.png"));
        }

        Assert.Equal(pixels, Picture.ReadGrey28(_folder.File("a.png")));
        Assert.Equal(["a.png"], _folder.Names);
    }

    [Theory]
    [InlineData(SKEncodedImageFormat.Png, 0)]
    [InlineData(SKEncodedImageFormat.Jpeg, 3)]
    [InlineData(SKEncodedImageFormat.Webp, 3)]
    public void Reads_each_format_and_scales_it(SKEncodedImageFormat format, int tolerance)
    {
        // The left half black, the right half white, at ten times the size.
        Encode(280, 280, format, (x, _) => x < 140 ? SKColors.Black : SKColors.White);

        byte[] grey = Picture.ReadGrey28(_folder.File("image"));

        for (int i = 0; i < grey.Length; i++)
        {
            int expected = i % 28 < 14 ? 0 : 255;
            Assert.InRange(grey[i], expected - tolerance, expected + tolerance);
        }
    }

    [Fact]
    public void Reads_bmp()
    {
        // 1×1, 24 bits: a file header, an info header, then blue, green, red and a byte of padding.
        byte[] bmp =
        [
            .. "BM"u8, 58, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0,
            40, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 24, 0, .. new byte[24],
            0, 0, 255, 0,
        ];
        File.WriteAllBytes(_folder.File("image"), bmp);

        // Red's luma.
        Assert.All(Picture.ReadGrey28(_folder.File("image")), p => Assert.Equal(76, p));
    }

    [Theory]
    [InlineData(0, 255)]
    [InlineData(100, 255)]
    [InlineData(150, 0)]
    [InlineData(255, 0)]
    public void What_is_transparent_contrasts_with_the_rest(byte opaque, byte behind)
    {
        Encode(28, 28, SKEncodedImageFormat.Png, (x, _) => new SKColor(opaque, opaque, opaque, (byte)(x < 14 ? 0 : 255)));

        byte[] grey = Picture.ReadGrey28(_folder.File("image"));

        Assert.Equal(behind, grey[0]);
        Assert.Equal(opaque, grey[27]);
    }

    [Fact]
    public void A_wide_image_keeps_its_proportions_and_is_continued_by_its_edge()
    {
        Encode(56, 28, SKEncodedImageFormat.Png, (_, y) => y < 14 ? SKColors.Black : SKColors.White);

        byte[] grey = Picture.ReadGrey28(_folder.File("image"));

        Assert.Equal(0, grey[0]);
        Assert.Equal(0, grey[12 * 28]);
        Assert.Equal(255, grey[15 * 28]);
        Assert.Equal(255, grey[27 * 28]);
    }

    // The stored image is white in its first quarter of rows and columns; where that is when the image stands upright.
    [Theory]
    [InlineData(1, true, true)]
    [InlineData(2, false, true)]
    [InlineData(3, false, false)]
    [InlineData(4, true, false)]
    [InlineData(5, true, true)]
    [InlineData(6, false, true)]
    [InlineData(7, false, false)]
    [InlineData(8, true, false)]
    public void Exif_orientation_turns_the_image(byte orientation, bool left, bool top)
    {
        Encode(64, 32, SKEncodedImageFormat.Jpeg, (x, y) => x < 32 && y < 16 ? SKColors.White : SKColors.Black);
        AddExif(orientation);

        GreyImage image = Picture.ReadGrey(_folder.File("image"));

        Assert.Equal(orientation < 5 ? (64, 32) : (32, 64), (image.Width, image.Height));
        foreach ((bool isLeft, bool isTop) in new[] { (true, true), (true, false), (false, true), (false, false) })
        {
            int x = image.Width * (isLeft ? 1 : 3) / 4, y = image.Height * (isTop ? 1 : 3) / 4;
            Assert.Equal(isLeft == left && isTop == top, image.Pixels[y * image.Width + x] > 128);
        }
    }

    [Theory]
    [InlineData(5, 1, 0)]
    [InlineData(6, 0, 0)]
    [InlineData(7, 0, 1)]
    [InlineData(8, 1, 1)]
    public void Quarter_turns_and_transpositions_differ(byte orientation, int brightX, int brightY)
    {
        // White is the stored lower left quarter, which each of the four puts elsewhere: 6 turns it clockwise to the upper left.
        Encode(64, 64, SKEncodedImageFormat.Jpeg, (x, y) => (x < 32, y < 32) switch
        {
            (true, true) => SKColors.Black,
            (false, true) => new SKColor(85, 85, 85),
            (true, false) => SKColors.White,
            (false, false) => new SKColor(170, 170, 170),
        });
        AddExif(orientation);

        GreyImage image = Picture.ReadGrey(_folder.File("image"));

        int x = brightX == 0 ? 16 : 48, y = brightY == 0 ? 16 : 48;
        Assert.InRange(image.Pixels[y * 64 + x], 245, 255);
    }

    [Fact]
    public void Damaged_files_are_one_line()
    {
        Encode(100, 100, SKEncodedImageFormat.Png, (x, y) => new SKColor((byte)(x * y), (byte)x, (byte)y));
        byte[] good = File.ReadAllBytes(_folder.File("image"));
        byte[] huge = [.. good];
        huge.AsSpan(16, 8).Fill(0x3F);
        byte[] flipped = [.. good];
        for (int i = good.Length / 2; i < good.Length; i++)
            flipped[i] ^= 0x55;

        var files = new Dictionary<string, byte[]>
        {
            ["truncated"] = good[..(good.Length / 2)],
            ["header-only"] = good[..33],
            ["signature-only"] = good[..8],
            ["flipped"] = flipped,
            ["huge"] = huge,
            ["text"] = "This is not an image."u8.ToArray(),
            ["empty"] = [],
            ["zeros"] = new byte[1000],
        };
        foreach ((string name, byte[] content) in files)
        {
            File.WriteAllBytes(_folder.File(name), content);
            AssertOneLine(_folder.File(name));
        }

        AssertOneLine(_folder.File("missing"));
        AssertOneLine(_folder.Path);
    }

    [Fact]
    public void A_header_that_claims_too_much_is_refused_before_memory_is_taken()
    {
        // A PNG's size with a right checksum, so that only the size is wrong.
        Encode(4, 4, SKEncodedImageFormat.Png, (_, _) => SKColors.Red);
        byte[] png = File.ReadAllBytes(_folder.File("image"));
        png[18] = png[22] = 0x40;
        uint crc = Crc32(png.AsSpan(12, 17));
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), crc);
        File.WriteAllBytes(_folder.File("image"), png);

        UserError error = Assert.Throws<UserError>(() => Picture.ReadGrey28(_folder.File("image")));

        Assert.Equal($"Cannot read {_folder.File("image")}: 16388×16388 pixels are too many; scale it down.", error.Message);
    }

    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
                crc = crc >> 1 ^ ((crc & 1) == 0 ? 0 : 0xEDB88320);
        }

        return ~crc;
    }

    private static void AssertOneLine(string path)
    {
        UserError error = Assert.Throws<UserError>(() => Picture.ReadGrey28(path));
        Assert.Equal(ExitCode.Data, error.Code);
        Assert.StartsWith($"Cannot read {path}: ", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    private void Encode(int width, int height, SKEncodedImageFormat format, Func<int, int, SKColor> colour)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                bitmap.SetPixel(x, y, colour(x, y));
        using SKData data = bitmap.Encode(format, 100);
        File.WriteAllBytes(_folder.File("image"), data.ToArray());
    }

    private void AddExif(byte orientation)
    {
        byte[] jpeg = File.ReadAllBytes(_folder.File("image"));
        byte[] exif =
        [
            0xFF, 0xE1, 0, 34, .. "Exif\0\0"u8,
            .. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0,
        ];
        File.WriteAllBytes(_folder.File("image"), [.. jpeg[..2], .. exif, .. jpeg[2..]]);
    }
}
