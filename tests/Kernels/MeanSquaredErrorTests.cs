using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Operations;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

[Collection(OnExecutors.Name)]
public class MeanSquaredErrorTests
{
    public static IEnumerable<TheoryDataRow<string, (int Batch, int Count, int H, int W, int Channels)>> Shapes => Rows.Of(
        ExecutorsUnderTest.Names,
        ((int, int, int, int, int)[])
        [
            (1, 1, 1, 1, 1), (10, 10, 28, 28, 1), (10, 7, 28, 28, 1), (7, 1, 3, 5, 3), (3, 3, 1, 1, 257), (2, 2, 7, 2, 16),
        ]);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Agrees_with_the_reference(string executor, (int Batch, int Count, int H, int W, int Channels) shape)
    {
        var (batch, count, height, width, channels) = shape;
        var random = new Values(height * width * channels);
        var size = height * width * channels;
        float[] y = random.Next(count * size, 0, 1), t = random.Next(count * size, -0.5, 3);
        var (losses, gradients) = Reference.MeanSquaredError(Reference.Exact(y), Reference.Exact(t), count);
        // Where no map has a border, an image may be taken for one row; one that has forbids it.
        (Activation, int, int, int)[] cases =
            [(Activation.Sigmoid, 1, 0, 1), (Activation.Relu, 0, 1, 0), (Activation.None, 0, 0, 0), (Activation.None, 0, 0, 1)];
        foreach (var (activation, outputBorder, targetBorder, gradientBorder) in cases)
        {
            foreach (var wantsGradient in activation == Activation.Sigmoid ? (bool[])[true, false] : [true])
            {
                var bench = new Workbench(ExecutorsUnderTest.Open(executor), batch, count);
                var output = bench.Map(height, width, channels, outputBorder, y);
                var target = bench.Map(height, width, channels, targetBorder, t);
                var gradient = wantsGradient ? bench.Writable(bench.Map(height, width, channels, gradientBorder)) : default;
                bench.Run(MeanSquaredError.Of(output, target, gradient, activation));
                Tolerance.Check("loss", bench.Losses, losses);
                if (!wantsGradient)
                    continue;
                var expected = gradients.Select((g, i) => g * Reference.Derivative(activation, y[i])).ToArray();
                // Difference, factor, two products, and 1 − y with its product.
                Tolerance.Check($"{activation} gradient", bench.Read(gradient), expected, i =>
                    8 * Tolerance.Rounding * Math.Abs(gradients[i] * (activation == Activation.Sigmoid ? y[i] : 1)));
            }
        }
    }
}
