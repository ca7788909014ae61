using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Operations;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

[Collection(OnExecutors.Name)]
public class BinaryCrossEntropyTests
{
    public static IEnumerable<TheoryDataRow<string, (int Batch, int Count, int H, int W, int Channels)>> Shapes => Rows.Of(
        ExecutorsUnderTest.Names,
        ((int, int, int, int, int)[])
        [
            (1, 1, 1, 1, 1), (10, 10, 28, 28, 1), (10, 7, 28, 28, 1), (7, 1, 3, 5, 3), (3, 3, 1, 1, 257), (2, 2, 7, 2, 16),
        ]);

    public static IEnumerable<TheoryDataRow<string>> Executors =>
        ExecutorsUnderTest.Names.Select(name => Rows.OnItsExecutor(new TheoryDataRow<string>(name), name));

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Agrees_with_the_reference(string executor, (int Batch, int Count, int H, int W, int Channels) shape)
    {
        var (batch, count, height, width, channels) = shape;
        var size = height * width * channels;
        var random = new Values(size);
        float[] y = random.Next(count * size, 0.001, 0.999), t = random.Next(count * size, 0, 1);
        (int, int, int)[] borders = [(0, 0, 0), (0, 1, 0), (1, 0, 1)];
        foreach (var (outputBorder, targetBorder, gradientBorder) in borders)
        {
            foreach (var activation in (Activation[])[Activation.Sigmoid, Activation.None])
                Check(new(ExecutorsUnderTest.Open(executor), batch, count), y, t, (height, width, channels), (outputBorder, targetBorder, gradientBorder), activation);
        }

        Check(new(ExecutorsUnderTest.Open(executor), batch, count), y, t, (height, width, channels), (1, 0, -1), Activation.Sigmoid);
    }

    /// <summary>Where a logarithm has no bottom PyTorch puts one, and no gradient is without bound.</summary>
    [Theory]
    [MemberData(nameof(Executors))]
    public void Is_bounded_where_an_output_is_certain(string executor)
    {
        float[] y = [0, 0, 0, 1, 1, 1, 1e-30f, 1e-7f, 1 - 6e-8f, 0.5f, 0.499999f], t = [0, 1, 0.25f, 1, 0, 0.25f, 0.5f, 0.25f, 0.75f, 0.5f, 1];
        Check(new(ExecutorsUnderTest.Open(executor), 1, 1), y, t, (1, y.Length, 1), (0, 0, 0), Activation.Sigmoid);
    }

    [Theory]
    [MemberData(nameof(Executors))]
    public void Not_a_number_stays_one(string executor)
    {
        var bench = new Workbench(ExecutorsUnderTest.Open(executor), 3, 3);
        FeatureMap output = bench.Map(1, 2, 1, 0, [0.5f, 0.5f, float.NaN, 0.5f, 0.5f, 0.5f]), target = bench.Map(1, 2, 1, 0, [0, 1, 0, 1, 0, 1]);
        bench.Run(BinaryCrossEntropy.Of(output, target, default, Activation.Sigmoid));
        Assert.True(float.IsNaN(bench.Losses[1]) && float.IsFinite(bench.Losses[0]) && float.IsFinite(bench.Losses[2]));
    }

    private static void Check(
        Workbench bench, float[] y, float[] t, (int H, int W, int C) shape, (int Output, int Target, int Gradient) borders, Activation activation)
    {
        var (height, width, channels) = shape;
        var output = bench.Map(height, width, channels, borders.Output, y);
        var target = bench.Map(height, width, channels, borders.Target, t);
        var wantsGradient = borders.Gradient >= 0;
        var gradient = wantsGradient ? bench.Writable(bench.Map(height, width, channels, borders.Gradient)) : default;
        bench.Run(BinaryCrossEntropy.Of(output, target, gradient, activation));
        var (losses, gradients) = Reference.BinaryCrossEntropy(Reference.Exact(y), Reference.Exact(t), bench.Count);
        // 1 − y is rounded, which its logarithm shows in full where it is near 0: half a unit of y for t near 0.
        var n = y.Length / bench.Count;
        var bounds = losses.Bounds.Select((bound, image) => bound + Enumerable.Range(image * n, n).Sum(i => (1 - t[i]) * Tolerance.Rounding * 2 / n)).ToArray();
        Tolerance.Check("loss", bench.Losses, losses.Values, image => bounds[image]);
        if (!wantsGradient)
            return;
        var expected = gradients.Select((g, i) => g * Reference.Derivative(activation, y[i])).ToArray();
        // Difference, product, quotient and two more products, of a factor whose 1 − y is rounded; in float32, too, the variance is bounded.
        Tolerance.Check($"{activation} gradient", bench.Read(gradient), expected, i =>
            16 * Tolerance.Rounding * Math.Abs(expected[i]) + Tolerance.Rounding / y.Length);
    }
}
