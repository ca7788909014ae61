using AutoencoderGpu.Kernels;
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
        var (output, gradient) = Run(
            bench, activated, golden["grad_output"], golden.Channels, golden.Height, golden.Width, 0, Activation.Relu);
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
        foreach (var (activation, border) in ((Activation, int)[])[(Activation.None, 0), (Activation.Relu, 1)])
        {
            var x = random.Integers(count * channels * height * width, -2, activation == Activation.Relu ? 0 : 2);
            var g = random.Next(count * channels * (height / 2) * (width / 2));
            var bench = new Workbench(ExecutorsUnderTest.Open(executor), batch, count);
            var (output, gradient) = Run(bench, x, g, channels, height, width, border, activation);
            var (values, winners) = Reference.MaxPool(Reference.Exact(x), height, width);
            var expected = Reference.MaxPoolBackward(Reference.Exact(g), winners, x.Length);
            for (var i = 0; i < x.Length; i++)
            {
                if (i % width >= width / 2 * 2 || i / width % height >= height / 2 * 2)
                    Assert.True(float.IsNaN(gradient[i]), "The last of an odd number of rows or columns was written.");
                else
                    Assert.Equal(expected[i] * Reference.Derivative(activation, x[i]), gradient[i]);
            }

            Assert.Equal(values, Reference.Exact(output));
        }
    }

    private static (float[] Output, float[] Gradient) Run(
        Workbench bench, float[] x, float[] g, int channels, int height, int width, int border, Activation activation)
    {
        var input = bench.Map(height, width, channels, border, x);
        var output = bench.Writable(bench.Map(height / 2, width / 2, channels, 1 - border));
        var outputGradient = bench.Map(height / 2, width / 2, channels, border, g);
        var inputGradient = bench.Writable(bench.Map(height, width, channels, border), height / 2 * 2, width / 2 * 2);
        bench.Run(MaxPool2x2.Forward(input, output), MaxPool2x2.Backward(outputGradient, input, inputGradient, activation));
        return (bench.Read(output), bench.Read(inputGradient));
    }
}
