using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Operations;
using AutoencoderGpu.Models;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

[Collection(OnExecutors.Name)]
public class Conv3x3Tests
{
    private static readonly (int Batch, int Count, int Cin, int H, int W, int Cout)[] _shapes =
    [
        (1, 1, 1, 1, 1, 3), (1, 1, 3, 1, 2, 1), (7, 5, 3, 5, 7, 5), (10, 9, 5, 2, 3, 16), (2, 1, 16, 3, 2, 17), (1, 1, 33, 7, 7, 33),
        (33, 33, 5, 2, 3, 1), (3, 2, 17, 1, 28, 16), (2, 2, 7, 28, 1, 7), (3, 3, 1, 28, 28, 1), (10, 7, 1, 7, 5, 33), (2, 2, 33, 5, 3, 1),
        // Channels that suit Winograd's transforms, with one to four pixels in the last tiles.
        (3, 2, 32, 1, 1, 32), (2, 1, 32, 5, 6, 32), (7, 5, 16, 6, 5, 64), (2, 2, 64, 3, 3, 32), (11, 10, 16, 8, 8, 16),
    ];

    public static IEnumerable<TheoryDataRow<string, string>> GoldenCases =>
        Rows.Of(ExecutorsUnderTest.Names, Golden.Operations.Where(name => name.StartsWith("op-conv3x3-", StringComparison.Ordinal)));

    public static IEnumerable<TheoryDataRow<string, (int Batch, int Count, int Cin, int H, int W, int Cout)>> Shapes =>
        Rows.Of(ExecutorsUnderTest.Names, _shapes);

    [Theory]
    [MemberData(nameof(GoldenCases))]
    public void Agrees_with_libtorch(string executor, string name)
    {
        var golden = new GoldenCase(name);
        var data = new Data(golden["input"], golden["weight"], golden["bias"], golden["grad_output"], golden.Height, golden.Width);
        Check(ExecutorsUnderTest.Open(executor), golden.Batch, golden.Batch, data, [Activation.None], golden);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Agrees_with_the_reference_at_any_shape(
        string executor, (int Batch, int Count, int Cin, int H, int W, int Cout) shape)
    {
        var (batch, count, cin, height, width, cout) = shape;
        var random = new Values(1000 * cin + cout);
        var data = new Data(
            random.Next(count * cin * height * width), random.Next(cout * cin * 9), random.Next(cout),
            random.Next(count * cout * height * width), height, width);
        var activations = Activated.On(executor, 9L * count * cin * height * width * cout);
        Check(ExecutorsUnderTest.Open(executor), batch, count, data, activations, null);
    }

    private static void Check(
        Executor executor, int batch, int count, Data data, IReadOnlyList<Activation> activations, GoldenCase? golden)
    {
        var sums = Reference.Conv3x3(
            Reference.Exact(data.X), Reference.Exact(data.W), Reference.Exact(data.Bias), count, data.Height, data.Width);
        var (inputSums, weightSums, biasSums) = Reference.Conv3x3Backward(
            Reference.Exact(data.G), Reference.Exact(data.X), Reference.Exact(data.W), data.Cout, count, data.Height, data.Width);
        for (var i = 0; i < activations.Count; i++)
        {
            CheckForward(new(executor, batch, count), data, activations[i], i % 2, sums, golden);
            CheckInputGradient(new(executor, batch, count), data, activations[i], i % 2, inputSums, golden);
        }

        // Partial sums may be more than there are pixels.
        foreach (var (border, splits) in golden is null ? ((int, int)[])[(0, 1), (1, 3)] : [(1, executor.GradientSplits)])
            CheckWeights(new(executor, batch, count), data, border, splits, weightSums, biasSums, golden);
    }

    private static void CheckForward(
        Workbench bench, Data data, Activation activation, int border, Sums sums, GoldenCase? golden)
    {
        var input = data.Input(bench);
        var output = bench.Writable(bench.Map(data.Height, data.Width, data.Cout, border));
        var weights = bench.Slice(data.W.Length, data.Weights.ToArena(data.W));
        bench.Run(Conv3x3.Forward(input, weights, bench.Slice(data.Cout, data.Bias), output, activation));
        Activated.Check("output", bench.Read(output), sums, activation);
        Tolerance.CheckGolden("output", bench.Read(output), golden?["output"], sums);
    }

    private static void CheckInputGradient(
        Workbench bench, Data data, Activation activation, int border, Sums sums, GoldenCase? golden)
    {
        var x = Activated.Results(activation, new Values(data.X.Length), data.X.Length);
        var weights = bench.Slice(data.W.Length, data.Weights.ToArena(data.W));
        var rotated = bench.Writable(bench.Slice(data.W.Length), data.W.Length);
        var gradient = bench.Writable(bench.Map(data.Height, data.Width, data.Cin, border));
        bench.Run(
            RotateWeights3x3.Of(weights, rotated, data.Cin, data.Cout),
            Conv3x3.BackwardInput(
                data.Gradient(bench, 1), rotated, gradient, bench.Map(data.Height, data.Width, data.Cin, 1, x), activation));
        Tolerance.Check($"{activation} input's gradient", bench.Read(gradient), Activated.TimesDerivative(sums, activation, x));
        Tolerance.CheckGolden("input's gradient", bench.Read(gradient), golden?["grad_input"], sums);
    }

    private static void CheckWeights(
        Workbench bench, Data data, int border, int splits, Sums weightSums, Sums biasSums, GoldenCase? golden)
    {
        int length = data.W.Length + data.Cout, stride = length + 5;
        var gradients = bench.Slice(splits * stride);
        for (var split = 0; split < splits; split++)
            bench.Writable(gradients + split * stride, length);
        bench.Run(Conv3x3BackwardWeights.Of(data.Gradient(bench, border), data.Input(bench), new(gradients, splits, stride)));
        var total = new float[length];
        for (var split = 0; split < splits; split++)
        {
            var part = bench.Read(gradients + split * stride, length);
            for (var i = 0; i < length; i++)
                total[i] += part[i];
        }

        var weight = data.Weights.FromArena(total.AsSpan(0, data.W.Length));
        Tolerance.Check($"weight's gradient in {splits} splits", weight, weightSums);
        Tolerance.CheckGolden("weight's gradient", weight, golden?["grad_weight"], weightSums);
        Tolerance.Check($"bias's gradient in {splits} splits", total.AsSpan(data.W.Length), biasSums);
        Tolerance.CheckGolden("bias's gradient", total.AsSpan(data.W.Length), golden?["grad_bias"], biasSums);
    }

    /// <summary>NCHW values of one layer.</summary>
    private sealed record Data(float[] X, float[] W, float[] Bias, float[] G, int Height, int Width)
    {
        public int Cout => Bias.Length;

        public int Cin => W.Length / (9 * Cout);

        public Parameter Weights => new("w", [Cout, Cin, 3, 3], 9 * Cin, 0, IsEncoder: true);

        public FeatureMap Input(Workbench bench) => bench.Map(Height, Width, Cin, 1, X);

        public FeatureMap Gradient(Workbench bench, int border) => bench.Map(Height, Width, Cout, border, G);
    }
}
