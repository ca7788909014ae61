using AutoencoderGpu.App.Reports;
using SkiaSharp;
using Xunit;

namespace AutoencoderGpu.Tests.App.Reports;

public sealed class ReconstructionMontageTests : IDisposable
{
    // Where the layout puts things, in pixels.
    private const int Scale = 6;
    private const int Left = 112;
    private const int Top = 172;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Each_image_is_where_it_belongs_and_sharp()
    {
        Reconstruction[] images = [.. Enumerable.Range(0, 20).Reverse().Select(i => Image(i, i / 2))];

        ReconstructionMontage.Save(_folder.File("a.png"), images, "Title", "subtitle");

        using SKBitmap picture = SKBitmap.Decode(_folder.File("a.png"));
        Assert.Equal((1752, 1398), (picture.Width, picture.Height));
        for (int i = 0; i < 20; i++)
        {
            // The images came in reversed order and stay so within a class.
            Reconstruction image = images.Where(r => r.Label == i / 2).ElementAt(i % 2);
            int label = image.Label;
            int left = Left + label / 5 * 856 + i % 2 * 384, top = Top + label % 5 * 234;
            AssertImage(picture, left, top, image.Original);
            AssertImage(picture, left + 176, top, [.. image.Output.Select(o => (byte)Math.Round(o * 255))]);
            Assert.Equal(SKColors.White, picture.GetPixel(left - 1, top));
            Assert.Equal(SKColors.White, picture.GetPixel(left + 172, top + 80));
            Assert.Equal(SKColors.White, picture.GetPixel(left, top + 168));
            Assert.True(Ink(picture, left + 100, top + 174, 140, 40) > 100, "no loss");
            Assert.True(Ink(picture, left / 800 * 856 + 56, top + 40, 50, 90) > 100, "no class");
        }

        Assert.True(Ink(picture, 40, 20, 200, 60) > 200, "no title");
        Assert.Equal(["a.png"], _folder.Names);
    }

    [Fact]
    public void Outputs_are_grey_levels()
    {
        Assert.Equal(0, ReconstructionMontage.ToGrey(0));
        Assert.Equal(128, ReconstructionMontage.ToGrey(0.5f + 1e-3f));
        Assert.Equal(255, ReconstructionMontage.ToGrey(1));
        Assert.Equal(255, ReconstructionMontage.ToGrey(float.PositiveInfinity));
        Assert.Equal(0, ReconstructionMontage.ToGrey(-1));
        Assert.Equal(0, ReconstructionMontage.ToGrey(float.NaN));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public void Any_number_of_images_without_a_class_fits(int count)
    {
        ReconstructionMontage.Save(
            _folder.File("a.png"), [.. Enumerable.Range(0, count).Select(i => Image(i, -1))], "Title", "subtitle");

        using SKBitmap picture = SKBitmap.Decode(_folder.File("a.png"));
        AssertImage(picture, 56, Top, Image(0, -1).Original);
        Assert.Equal(count > 2 ? 1640 : 840, picture.Width);
    }

    [Fact]
    public void Names_stand_below_the_pairs_and_fit()
    {
        string[] names = ["a.png", new string('W', 100) + ".jpeg", "digits 2.png"];
        ReconstructionMontage.Save(
            _folder.File("a.png"), [.. names.Select((name, i) => Image(i, -1) with { Name = name })], "Title", "subtitle");

        using SKBitmap picture = SKBitmap.Decode(_folder.File("a.png"));
        // Rows of a pair are 168 pixels high; the loss takes 40 below, the name the next 34.
        int name = Top + 168 + 42;
        Assert.True(Ink(picture, 56, name, 344, 34) > 50, "no name");
        Assert.True(Ink(picture, 440, name, 344, 34) > 1000, "no long name");
        Assert.Equal(0, Ink(picture, 402, name, 36, 34));
        Assert.Equal(0, Ink(picture, 786, name, 36, 34));
    }

    [Fact]
    public void Nothing_and_wrong_sizes_are_refused()
    {
        Assert.ThrowsAny<ArgumentException>(() => ReconstructionMontage.Save(_folder.File("a.png"), [], "", ""));
        Assert.ThrowsAny<ArgumentException>(
            () => ReconstructionMontage.Save(_folder.File("a.png"), [Image(0, 0) with { Output = new float[783] }], "", ""));
        Assert.Empty(_folder.Names);
    }

    private static Reconstruction Image(int seed, int label)
    {
        var original = new byte[784];
        new Random(seed).NextBytes(original);
        return new Reconstruction(original, [.. original.Select(p => (255 - p) / 255f)], label, 0.4 + seed / 100.0);
    }

    // Every pixel of every square has the image's grey.
    private static void AssertImage(SKBitmap picture, int left, int top, byte[] expected)
    {
        for (int y = 0; y < 28 * Scale; y++)
        {
            for (int x = 0; x < 28 * Scale; x++)
            {
                byte grey = expected[y / Scale * 28 + x / Scale];
                SKColor actual = picture.GetPixel(left + x, top + y);
                if (actual != new SKColor(grey, grey, grey))
                    Assert.Fail($"{actual} at {left + x}, {top + y} instead of grey {grey}");
            }
        }
    }

    private static int Ink(SKBitmap picture, int left, int top, int width, int height)
    {
        int sum = 0;
        for (int y = top; y < top + height; y++)
            for (int x = left; x < left + width; x++)
                sum += picture.GetPixel(x, y).Red < 200 ? 1 : 0;
        return sum;
    }
}
