using AutoencoderGpu.App.Data;
using AutoencoderGpu.App.Images;
using SkiaSharp;
using Xunit;

namespace AutoencoderGpu.Tests.App.Reports;

/// <summary>
/// Digits of 28×28 are made into pictures and must come back. MNIST's come back as they were; the built-in ones, which are not
/// scaled to fill the box, as their plain negative does. What is left are the blur of two scalings and half a pixel of the box's
/// edges, by which the soft edge of strokes differs: some 5 to 10 of 255 grey levels on average over the image. Another place by a
/// pixel makes 15 to 25, another digit over 40.
/// </summary>
public sealed class DigitImageTests : IDisposable
{
    private const int Side = 28;

    private static readonly Lazy<ImageSet> _mnist = new(() => Mnist.LoadAsync(
        Environment.GetEnvironmentVariable("AUTOENCODER_DATA")!, Mnist.Files).GetAwaiter().GetResult().Test);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("synthetic")]
    [InlineData("mnist")]
    public void Light_on_dark_28_by_28_stays_bit_by_bit(string set) => Assert.All(
        Digits(set, 1000), digit => Assert.Equal(digit, DigitImage.Prepare(new GreyImage(digit, Side, Side))));

    [Fact]
    public void Inverted_digits_come_back() =>
        AssertComeBack(Digits("mnist", 200), (digit, _) => Negative(digit), mean: 2);

    [Theory]
    [InlineData("synthetic", false)]
    [InlineData("synthetic", true)]
    [InlineData("mnist", false)]
    [InlineData("mnist", true)]
    public void Enlarged_digits_come_back(string set, bool isLight) => AssertComeBack(
        Digits(set, 70), (digit, _) => Paint(digit, scale: 10, 280, 280, 0, 0, isLight ? 0 : 255, isLight ? 255 : 0),
        mean: 10,
        set == "synthetic");

    [Theory]
    [InlineData("synthetic", false)]
    [InlineData("synthetic", true)]
    [InlineData("mnist", false)]
    [InlineData("mnist", true)]
    public void Digits_on_shaded_noisy_paper_come_back_from_jpeg(string set, bool isLight) => AssertComeBack(
        Digits(set, 70),
        (digit, seed) => Jpeg(Paint(
            digit, scale: 9, 600, 450, 60 + 3 * seed, 20 + 2 * seed, isLight ? 60 : 235, isLight ? 225 : 50, shade: 0.4, noise: 6)),
        mean: 12,
        set == "synthetic");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Digits_that_reach_the_border_come_back(bool isLight) => AssertComeBack(
        Digits("synthetic", 30),
        (digit, _) =>
        {
            (int left, int top, int right, int bottom) = BoxOf(digit);
            GreyImage cut = new GreyImage(digit, Side, Side).Cut(left, top, right - left, bottom - top);
            cut = cut.Resize(10 * cut.Width, 10 * cut.Height);
            return isLight ? cut : Inverted(cut);
        },
        mean: 12,
        isSynthetic: true);

    [Fact]
    public void Specks_and_the_edge_of_the_paper_do_not_count() => AssertComeBack(
        Digits("synthetic", 30),
        (digit, seed) =>
        {
            GreyImage picture = Paint(digit, scale: 10, 500, 400, 120, 60, 230, 40);
            var random = new Random(seed);
            for (int y = 0; y < 400; y++)
                picture.Pixels.AsSpan(y * 500, 25).Fill(20);
            for (int speck = 0; speck < 20; speck++)
            {
                int place = random.Next(397) * 500 + random.Next(497);
                for (int row = 0; row < 3; row++)
                    picture.Pixels.AsSpan(place + row * 500, 3).Fill(40);
            }

            return picture;
        },
        mean: 12,
        isSynthetic: true);

    [Fact]
    public void A_thin_line_becomes_as_thick_as_a_pen_stroke()
    {
        var picture = new GreyImage(new byte[1000 * 1000], 1000, 1000);
        for (int y = 100; y < 900; y++)
            picture.Pixels.AsSpan(y * 1000 + 500 - y / 10, 6).Fill(255);

        byte[] digit = Assert.IsType<byte[]>(DigitImage.Prepare(picture));

        // 20 rows, each the two pixels of a thin stroke of MNIST.
        Assert.InRange(digit.Sum(p => p / 255.0) / 20, 1.5, 2.5);
        Assert.True(digit.Max() > 240);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 500)]
    [InlineData(28, 28)]
    [InlineData(500, 400)]
    public void There_is_nothing_in_one_grey_in_a_shadow_and_in_noise(int width, int height)
    {
        var random = new Random(1);
        foreach (byte grey in new byte[] { 0, 1, 128, 255 })
            Assert.Null(DigitImage.Prepare(Fill((_, _) => grey)));
        // Of 28×28 these can be light on dark, which nothing tells from MNIST's format.
        if ((width, height) != (Side, Side))
        {
            Assert.Null(DigitImage.Prepare(Fill((x, y) => 230 - 20.0 * x / width - 20.0 * y / height + random.Next(5))));
            Assert.Null(DigitImage.Prepare(Fill((_, _) => random.Next(256))));
        }

        GreyImage Fill(Func<int, int, double> level) => new(
            [.. Enumerable.Range(0, width * height).Select(i => (byte)level(i % width, i / width))], width, height);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(255)]
    public void A_digit_on_nothing_is_seen_whatever_its_colour(byte colour)
    {
        byte[] digit = Digits("synthetic", 1)[0];
        using (var bitmap = new SKBitmap(new SKImageInfo(280, 280, SKColorType.Rgba8888, SKAlphaType.Unpremul)))
        {
            for (int y = 0; y < 280; y++)
                for (int x = 0; x < 280; x++)
                    bitmap.SetPixel(x, y, new SKColor(colour, colour, colour, digit[y / 10 * Side + x / 10]));
            using SKData png = bitmap.Encode(SKEncodedImageFormat.Png, 100);
            _folder.Write("digit.png", png.ToArray());
        }

        AssertComeBack([digit], (_, _) => Picture.ReadGrey(_folder.File("digit.png")), mean: 10, isSynthetic: true);
    }

    private static void AssertComeBack(
        IReadOnlyList<byte[]> digits, Func<byte[], int, GreyImage> picture, double mean, bool isSynthetic = false)
    {
        double sum = 0;
        IReadOnlyList<byte[]> expected = isSynthetic ? [.. digits.Select(digit => DigitImage.Prepare(Negative(digit))!)] : digits;
        for (int i = 0; i < digits.Count; i++)
        {
            byte[]? actual = DigitImage.Prepare(picture(digits[i], i));

            Assert.True(actual is not null, $"nothing found in image {i}");
            (int left, int top, int right, int bottom) = BoxOf(actual);
            Assert.True(right - left <= 20 && bottom - top <= 20, $"image {i} is {right - left}×{bottom - top}");
            double mass = actual.Sum(p => (double)p);
            Assert.InRange(actual.Select((p, at) => p * (at % Side)).Sum() / mass, 13.49, 14.51);
            Assert.InRange(actual.Select((p, at) => p * (at / Side)).Sum() / mass, 13.49, 14.51);
            double difference = Difference(actual, expected[i]);
            Assert.True(difference < 20, $"image {i} differs by {difference} grey levels");
            sum += difference;
        }

        Assert.InRange(sum / digits.Count, 0, mean);
    }

    // Which pixel is nearest to a centre may change by as little as the strokes' edges do, so the best of a pixel's shifts counts;
    // that the centre is in its place is asserted by itself.
    private static double Difference(byte[] actual, byte[] expected) => Enumerable.Range(0, 9).Min(shift =>
        new GreyImage(actual, Side, Side).Cut(shift % 3 - 1, shift / 3 - 1, Side, Side).Pixels
            .Zip(expected, (a, b) => Math.Abs(a - b)).Average());

    private static IReadOnlyList<byte[]> Digits(string set, int count)
    {
        ImageSet images;
        if (set == "mnist")
        {
            string? folder = Environment.GetEnvironmentVariable("AUTOENCODER_DATA");
            Assert.SkipWhen(string.IsNullOrEmpty(folder), "AUTOENCODER_DATA names no folder with MNIST.");
            images = _mnist.Value;
        }
        else
        {
            images = SyntheticDigits.Generate(seed: 1, trainLimit: 1, testLimit: count).Test;
        }

        Assert.Equal(Math.Min(count, 10), images.Take(count).Labels.Distinct().Count());
        return [.. images.Take(count).Pixels.Chunk(Side * Side)];
    }

    // Ink on paper, both grey levels, in light that falls off from the upper left corner.
    private static GreyImage Paint(
        byte[] digit, int scale, int width, int height, int left, int top, double paper, double ink, double shade = 0, double noise = 0)
    {
        GreyImage large = new GreyImage(digit, Side, Side).Resize(Side * scale, Side * scale).Cut(-left, -top, width, height);
        var random = new Random(left);
        var pixels = new byte[width * height];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                double cover = large[x, y] / 255.0, light = 1 - shade * (0.6 * x / width + 0.4 * y / height);
                // Three uniform numbers have a variance of a twelfth each, so their sum has a deviation of a half.
                double normal = 2 * (random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5);
                pixels[y * width + x] = (byte)Math.Clamp(light * (paper + cover * (ink - paper)) + noise * normal, 0, 255);
            }
        }

        return new GreyImage(pixels, width, height);
    }

    private GreyImage Jpeg(GreyImage image)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(image.Width, image.Height, SKColorType.Gray8, SKAlphaType.Opaque));
        image.Pixels.CopyTo(bitmap.GetPixelSpan());
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Jpeg, 75);
        return Picture.ReadGrey(_folder.Write("photo.jpg", data.ToArray()));
    }

    private static GreyImage Negative(byte[] digit) => Inverted(new GreyImage(digit, Side, Side));

    private static GreyImage Inverted(GreyImage image) => image.Map(level => (byte)(255 - level));

    private static (int Left, int Top, int Right, int Bottom) BoxOf(byte[] digit)
    {
        int[] columns = [.. Enumerable.Range(0, digit.Length).Where(i => digit[i] > 0).Select(i => i % Side)];
        int[] rows = [.. Enumerable.Range(0, digit.Length).Where(i => digit[i] > 0).Select(i => i / Side)];
        return (columns.Min(), rows.Min(), columns.Max() + 1, rows.Max() + 1);
    }
}
