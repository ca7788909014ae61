using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Operations;
using AutoencoderGpu.Models;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

/// <summary>The reference is the one of the convolution, followed by the one of pooling.</summary>
[Collection(OnExecutors.Name)]
public class PooledConv3x3Tests
{
    private static readonly (int Batch, int Count, int Cin, int H, int W, int Cout)[] _shapes =
    [
        (1, 1, 1, 2, 2, 1), (3, 2, 3, 3, 2, 5), (7, 5, 3, 5, 7, 17), (10, 9, 5, 4, 6, 16), (2, 1, 16, 2, 9, 17), (1, 1, 33, 7, 7, 33),
        // One channel, whose tiles keep a window in registers.
        (3, 3, 1, 28, 28, 32), (10, 7, 1, 7, 5, 64), (2, 2, 1, 2, 3, 33),
        // Channels that suit Winograd's transforms.
        (3, 2, 32, 2, 2, 32), (2, 1, 32, 5, 6, 32), (7, 5, 16, 6, 5, 64), (2, 2, 64, 3, 3, 32), (11, 10, 16, 8, 8, 16),
    ];

    public static IEnumerable<TheoryDataRow<string, string>> GoldenCases => Rows.Of(
        ExecutorsUnderTest.Names, Golden.Operations.Where(name => name.StartsWith("op-relu-maxpool2x2-", StringComparison.Ordinal)));

    public static IEnumerable<TheoryDataRow<string, (int Batch, int Count, int Cin, int H, int W, int Cout)>> Shapes =>
        Rows.Of(ExecutorsUnderTest.Names, _shapes);

    /// <summary>A convolution that takes every channel as it is, so that what is left is ReLU and pooling.</summary>
    [Theory]
    [MemberData(nameof(GoldenCases))]
    public void Agrees_with_libtorch_behind_the_identity(string executor, string name)
    {
        var golden = new GoldenCase(name);
        int channels = golden.Channels, height = golden.Height, width = golden.Width;
        var weights = new float[9 * channels * channels];
        for (var c = 0; c < channels; c++)
            weights[(4 * channels + c) * channels + c] = 1;
        var bench = new Workbench(ExecutorsUnderTest.Open(executor), golden.Batch, golden.Batch);
        var input = bench.Map(height, width, channels, 1, golden["input"]);
        var output = bench.Writable(bench.Map(height / 2, width / 2, channels, 1));
        var winners = bench.Writable(bench.Map(height / 2, width / 2, channels, 0));
        var inputGradient = bench.Writable(bench.Map(height, width, channels, 1));
        var arriving = golden["grad_output"].Zip(golden["output"], (g, y) => y > 0 ? g : 0).ToArray();
        bench.Run(
            PooledConv3x3.Of(
                input, bench.Slice(weights.Length, weights), bench.Slice(channels, new float[channels]), output, winners, Activation.Relu),
            MaxPool2x2Backward.Of(bench.Map(height / 2, width / 2, channels, 0, arriving), winners, inputGradient));
        // Winograd's transforms round sums of all that a tile sees.
        var bound = Tolerance.Gamma(9) * golden["input"].Max(Math.Abs);
        Tolerance.Check("output", bench.Read(output), Reference.Exact(golden["output"]), _ => bound);
        Assert.Equal(golden["grad_input"], bench.Read(inputGradient));
    }

    /// <summary>Sums of small whole numbers are exact in any order, and many are equal.</summary>
    [Theory]
    [MemberData(nameof(Shapes))]
    public void Is_the_convolution_followed_by_pooling(
        string executor, (int Batch, int Count, int Cin, int H, int W, int Cout) shape)
    {
        var (batch, count, cin, height, width, cout) = shape;
        var random = new Values(1000 * cin + cout);
        var x = random.Integers(count * cin * height * width, -2, 2);
        float[] w = random.Integers(9 * cin * cout, -1, 1), bias = random.Next(cout);
        var weights = new Parameter("w", [cout, cin, 3, 3], 9 * cin, 0, IsEncoder: true);
        var unbiased = Reference.Conv3x3(Reference.Exact(x), Reference.Exact(w), new double[cout], count, height, width);
        var (values, found) = Reference.MaxPool(unbiased.Values, height, width);
        double Bias(int i) => bias[i / (height / 2 * (width / 2)) % cout];
        var sums = new Sums(
            [.. values.Select((value, i) => value + Bias(i))], [.. values.Select((value, i) => Math.Abs(value) + Math.Abs(Bias(i)))], 2);
        var border = 0;
        foreach (var activation in Activated.On(executor, 9L * count * cin * height * width * cout))
        {
            border = 1 - border;
            var bench = new Workbench(ExecutorsUnderTest.Open(executor), batch, count);
            var output = bench.Writable(bench.Map(height / 2, width / 2, cout, border));
            var winners = bench.Writable(bench.Map(height / 2, width / 2, cout, 1 - border));
            bench.Run(PooledConv3x3.Of(
                bench.Map(height, width, cin, 1, x), bench.Slice(w.Length, weights.ToArena(w)), bench.Slice(cout, bias), output, winners,
                activation));
            Assert.Equal(found.Select(winner => Reference.PlaceInWindow(winner, height, width)), bench.Read(winners));
            Activated.Check("output", bench.Read(output), sums, activation);
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Gradients_of_weights_are_those_of_the_winners(
        string executor, (int Batch, int Count, int Cin, int H, int W, int Cout) shape)
    {
        var (batch, count, cin, height, width, cout) = shape;
        var random = new Values(1000 * cin + cout);
        foreach (var splits in (int[])[1, 3])
        {
            var x = random.Next(count * cin * height * width);
            var g = random.Next(count * cout * (height / 2) * (width / 2));
            var places = random.Integers(g.Length, 0, 3);
            var spread = new double[count * cout * height * width];
            for (var i = 0; i < g.Length; i++)
            {
                int plane = i / (height / 2 * (width / 2)), p = i / (width / 2) % (height / 2), q = i % (width / 2), place = (int)places[i];
                spread[(plane * height + 2 * p + place / 2) * width + 2 * q + place % 2] = g[i];
            }

            var bench = new Workbench(ExecutorsUnderTest.Open(executor), batch, count);
            int weightCount = 9 * cin * cout, length = weightCount + cout, stride = length + 5, gradients = bench.Slice(splits * stride);
            for (var split = 0; split < splits; split++)
                bench.Writable(gradients + split * stride, length);
            bench.Run(PooledConv3x3BackwardWeights.Of(
                bench.Map(height / 2, width / 2, cout, splits == 1 ? 1 : 0, g), bench.Map(height / 2, width / 2, cout, 0, places),
                bench.Map(height, width, cin, 1, x), new(gradients, splits, stride)));
            var total = new float[length];
            for (var split = 0; split < splits; split++)
            {
                var part = bench.Read(gradients + split * stride, length);
                for (var i = 0; i < length; i++)
                    total[i] += part[i];
            }

            var expected = Reference.Conv3x3Backward(
                spread, Reference.Exact(x), new double[weightCount], cout, count, height, width);
            var parameter = new Parameter("w", [cout, cin, 3, 3], 9 * cin, 0, IsEncoder: true);
            Tolerance.Check("weight's gradient", parameter.FromArena(total.AsSpan(0, weightCount)), expected.Weight);
            Tolerance.Check("bias's gradient", total.AsSpan(weightCount), expected.Bias);
        }
    }

    [Fact]
    public void Maps_that_do_not_match_are_an_error()
    {
        FeatureMap input = new(0, 5, 4, 3, 1), output = new(0, 2, 2, 8, 0);
        Assert.Equal("PooledConv3x3", PooledConv3x3.Of(input, 0, 0, output, output, Activation.Relu).Name);
        foreach (var wrong in (FeatureMap[])[output with { Height = 3 }, output with { Width = 1 }])
            Assert.Throws<ArgumentException>(() => PooledConv3x3.Of(input, 0, 0, wrong, wrong, Activation.Relu));
        Assert.Throws<ArgumentException>(() => PooledConv3x3.Of(input, 0, 0, output, output with { Channels = 9 }, Activation.Relu));
    }
}
