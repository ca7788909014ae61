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
            foreach (var width in (int[])[1, height, 9 - height])
            {
                var random = new Values(10 * height + width);
                int c = channels[(height + width) % 4], size = 2 * c * height * width;
                foreach (var activation in Activated.On(executor, 16L * size))
                {
                    var x = Activated.Results(activation, random, size);
                    Check(
                        new(ExecutorsUnderTest.Open(executor), 3, 2),
                        x, random.Next(4 * size), c, height, width, height % 2, interpolation, activation, null);
                }
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
            Upsample2x.Of(input, output, interpolation),
            Upsample2xBackward.Of(outputGradient, input, inputGradient, interpolation, activation));

        var what = $"{height}×{width}×{channels} {interpolation} {activation}";
        var forward = Reference.Upsample(Reference.Exact(x), height, width, interpolation);
        Tolerance.Check(what, bench.Read(output), forward);
        Tolerance.CheckGolden(what, bench.Read(output), golden?["output"], forward);
        var backward = Activated.TimesDerivative(
            Reference.UpsampleBackward(Reference.Exact(g), height, width, interpolation), activation, x);
        Tolerance.Check(what + " gradient", bench.Read(inputGradient), backward);
        Tolerance.CheckGolden(what + " gradient", bench.Read(inputGradient), golden?["grad_input"], backward);
    }
}
