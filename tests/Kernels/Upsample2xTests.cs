using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Operations;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

[Collection(OnExecutors.Name)]
public class Upsample2xTests
{
    public static IEnumerable<TheoryDataRow<string, string>> GoldenCases => Rows.Of(
        ExecutorsUnderTest.Names, Golden.Operations.Where(name => name.StartsWith("op-upsample2x-", StringComparison.Ordinal)));

    public static IEnumerable<TheoryDataRow<string, Interpolation>> Interpolations =>
        Rows.Of(ExecutorsUnderTest.Names, Enum.GetValues<Interpolation>());

    [Theory]
    [MemberData(nameof(GoldenCases))]
    public void Agrees_with_libtorch(string executor, string name)
    {
        var golden = new GoldenCase(name);
        Check(
            new(ExecutorsUnderTest.Open(executor), golden.Batch, golden.Batch),
            golden["input"], golden["grad_output"], golden.Channels, golden.Height, golden.Width, 0, golden.Interpolation, default, golden);
    }

    [Theory]
    [MemberData(nameof(Interpolations))]
    public void Agrees_with_the_reference_at_any_shape(string executor, Interpolation interpolation)
    {
        int[] channels = [1, 5, 16, 33];
        for (var height = 1; height <= 8; height++)
        {
            for (var width = 1; width <= 8; width++)
            {
                var random = new Values(10 * height + width);
                int c = channels[(height + width) % 4], size = 2 * c * height * width;
                var activation = (Activation)(height % 3);
                var x = activation == Activation.Sigmoid ? random.Next(size, 0, 1) : random.Next(size);
                Check(
                    new(ExecutorsUnderTest.Open(executor), 3, 2),
                    x, random.Next(4 * size), c, height, width, height % 2, interpolation, activation, null);
            }
        }
    }

    private static void Check(
        Workbench bench,
        float[] x,
        float[] g,
        int channels,
        int height,
        int width,
        int border,
        Interpolation interpolation,
        Activation activation,
        GoldenCase? golden)
    {
        var input = bench.Map(height, width, channels, border, x);
        var output = bench.Writable(bench.Map(2 * height, 2 * width, channels, 1 - border));
        var outputGradient = bench.Map(2 * height, 2 * width, channels, border, g);
        var inputGradient = bench.Writable(bench.Map(height, width, channels, border));
        bench.Run(
            Upsample2x.Forward(input, output, interpolation),
            Upsample2x.Backward(outputGradient, input, inputGradient, interpolation, activation));

        // A share is a float position less its integer part, off by two roundings of a position below H or W in each direction.
        double share = interpolation == Interpolation.Nearest ? 0 : 4 * (height + width) * Tolerance.Rounding;
        var what = $"{height}×{width}×{channels} {interpolation} {activation}";
        var forward = Reference.Upsample(Reference.Exact(x), height, width, interpolation);
        Check(what, bench.Read(output), forward, share * x.Max(Math.Abs), golden?["output"]);
        var backward = Reference.UpsampleBackward(Reference.Exact(g), height, width, interpolation)
            .Times(i => Reference.Derivative(activation, x[i]));
        Check(what + " gradient", bench.Read(inputGradient), backward, 16 * share * g.Max(Math.Abs), golden?["grad_input"]);
    }

    private static void Check(string what, float[] actual, Sums expected, double extra, float[]? golden)
    {
        var bounds = expected.Bounds;
        Tolerance.Check(what, actual, expected.Values, i => bounds[i] + extra);
        if (golden is not null)
            Tolerance.Check(what + " against libtorch", actual, Reference.Exact(golden), i => 2 * (bounds[i] + extra));
    }
}
