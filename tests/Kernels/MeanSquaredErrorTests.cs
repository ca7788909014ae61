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
        // Where no map has a border, an image may be taken for one row; one that has forbids it.
        (int, int, int)[] borders = [(1, 0, 1), (0, 1, 0), (0, 0, 0), (0, 0, 1)];
        var activations = Enum.GetValues<Activation>();
        for (var i = 0; i < Math.Max(borders.Length, activations.Length); i++)
        {
            var activation = activations[i % activations.Length];
            float[] y = Activated.Results(activation, random, count * size), t = random.Next(count * size, -0.5, 3);
            var (losses, gradients) = Reference.MeanSquaredError(Reference.Exact(y), Reference.Exact(t), count);
            var (outputBorder, targetBorder, gradientBorder) = borders[i % borders.Length];
            foreach (var wantsGradient in i == 0 ? (bool[])[true, false] : [true])
            {
                var bench = new Workbench(ExecutorsUnderTest.Open(executor), batch, count);
                var output = bench.Map(height, width, channels, outputBorder, y);
                var target = bench.Map(height, width, channels, targetBorder, t);
                var gradient = wantsGradient ? bench.Writable(bench.Map(height, width, channels, gradientBorder)) : default;
                bench.Run(MeanSquaredError.Of(output, target, gradient, activation));
                Tolerance.Check("loss", bench.Losses, losses);
                if (!wantsGradient)
                    continue;
                // Difference, factor and its product, up to three roundings of the derivative and its product make less than the eight of no sum.
                var expected = new Sums(gradients, [.. gradients.Select(Math.Abs)], 0);
                Tolerance.Check($"{activation} gradient", bench.Read(gradient), Activated.TimesDerivative(expected, activation, y));
            }
        }
    }
}
