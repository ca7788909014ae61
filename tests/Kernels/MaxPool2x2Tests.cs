using AutoencoderGpu.Kernels.Operations;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

[Collection(OnExecutors.Name)]
public class MaxPool2x2Tests
{
    private static readonly (int Batch, int Count, int Channels, int H, int W)[] _shapes =
    [
        (1, 1, 1, 2, 2), (1, 1, 3, 3, 2), (7, 5, 5, 5, 7), (10, 10, 7, 4, 9), (3, 2, 16, 28, 5), (2, 1, 17, 2, 28), (33, 33, 33, 3, 3),
    ];

    public static IEnumerable<TheoryDataRow<string, string>> GoldenCases => Rows.Of(
        ExecutorsUnderTest.Names, Golden.Operations.Where(name => name.StartsWith("op-relu-maxpool2x2-", StringComparison.Ordinal)));

    public static IEnumerable<TheoryDataRow<string, (int Batch, int Count, int Channels, int H, int W)>> Shapes =>
        Rows.Of(ExecutorsUnderTest.Names, _shapes);

    [Theory]
    [MemberData(nameof(GoldenCases))]
    public void Agrees_with_libtorch(string executor, string name)
    {
        var golden = new GoldenCase(name);
        var activated = golden["input"].Select(value => Math.Max(0f, value)).ToArray();
        var bench = new Workbench(ExecutorsUnderTest.Open(executor), golden.Batch, golden.Batch);
        // ReLU's derivative at the maximum is what the operation behind the pooling multiplies by.
        var arriving = golden["grad_output"].Zip(golden["output"], (g, y) => y > 0 ? g : 0).ToArray();
        var (output, _, gradient) = Run(bench, activated, arriving, golden.Channels, golden.Height, golden.Width, 0);
        Assert.Equal(golden["output"], output);
        Assert.Equal(golden["grad_input"], gradient);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Equals_the_reference_also_where_maxima_are_equal(
        string executor, (int Batch, int Count, int Channels, int H, int W) shape)
    {
        var (batch, count, channels, height, width) = shape;
        var random = new Values(100 * height + width);
        for (var border = 0; border <= 1; border++)
        {
            var x = random.Integers(count * channels * height * width, -2, 2 * border);
            var g = random.Next(count * channels * (height / 2) * (width / 2));
            var bench = new Workbench(ExecutorsUnderTest.Open(executor), batch, count);
            var (output, found, gradient) = Run(bench, x, g, channels, height, width, border);
            var (values, winners) = Reference.MaxPool(Reference.Exact(x), height, width);
            var expected = Reference.MaxPoolBackward(Reference.Exact(g), winners, x.Length);
            for (var i = 0; i < x.Length; i++)
            {
                if (i % width >= width / 2 * 2 || i / width % height >= height / 2 * 2)
                    Assert.True(float.IsNaN(gradient[i]), "The last of an odd number of rows or columns was written.");
                else
                    Assert.Equal(expected[i], gradient[i]);
            }

            Assert.Equal(values, Reference.Exact(output));
            Assert.Equal(winners.Select(winner => Reference.PlaceInWindow(winner, height, width)), found);
        }
    }

    private static (float[] Output, float[] Winners, float[] Gradient) Run(
        Workbench bench, float[] x, float[] g, int channels, int height, int width, int border)
    {
        var input = bench.Map(height, width, channels, border, x);
        var output = bench.Writable(bench.Map(height / 2, width / 2, channels, 1 - border));
        var winners = bench.Writable(bench.Map(height / 2, width / 2, channels, border));
        var outputGradient = bench.Map(height / 2, width / 2, channels, border, g);
        var inputGradient = bench.Writable(bench.Map(height, width, channels, border), height / 2 * 2, width / 2 * 2);
        bench.Run(MaxPool2x2.Of(input, output, winners), MaxPool2x2Backward.Of(outputGradient, winners, inputGradient));
        return (bench.Read(output), bench.Read(winners), bench.Read(inputGradient));
    }
}
