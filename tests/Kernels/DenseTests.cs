using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Operations;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

[Collection(OnExecutors.Name)]
public class DenseTests
{
    // On a GPU ten images and fewer are summed by whole groups, of 1,024 inputs or 512 outputs at a time; more are tiled, 32×32 of a
    // depth of four times 16. On a CPU tiles are five images by two outputs, and six by one to four vectors of 4 to 16.
    private static readonly (int Batch, int Count, int K, int N)[] _shapes =
    [
        (1, 1, 1, 1), (10, 10, 31, 33), (10, 7, 32, 32), (7, 7, 33, 31), (33, 33, 17, 5), (33, 32, 16, 2), (5, 4, 15, 65), (6, 6, 65, 1),
        (1, 1, 100, 3), (31, 11, 1, 34), (10, 1, 8, 64), (2, 2, 129, 7), (34, 34, 330, 71), (40, 32, 65, 321),
        (10, 9, 1031, 3), (3, 3, 1, 523), (4, 4, 257, 129), (12, 11, 9, 35), (16, 16, 40, 33), (17, 17, 5, 67),
    ];

    public static IEnumerable<TheoryDataRow<string, string>> GoldenCases =>
        Rows.Of(ExecutorsUnderTest.Names, Golden.Operations.Where(name => name.StartsWith("op-dense-", StringComparison.Ordinal)));

    public static IEnumerable<TheoryDataRow<string, (int Batch, int Count, int K, int N)>> Shapes =>
        Rows.Of(ExecutorsUnderTest.Names, _shapes);

    [Theory]
    [MemberData(nameof(GoldenCases))]
    public void Agrees_with_libtorch(string executor, string name)
    {
        var golden = new GoldenCase(name);
        var batch = golden.Batch;
        Check(executor, batch, batch, golden["input"], golden["weight"], golden["bias"], golden["grad_output"], default, golden);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Agrees_with_the_reference_at_any_shape(string executor, (int Batch, int Count, int K, int N) shape)
    {
        var random = new Values(1000 * shape.K + shape.N);
        var (batch, count, k, n) = shape;
        foreach (var activation in Activated.On(executor, (long)count * k * n))
        {
            var x = Activated.Results(activation, random, count * k);
            Check(executor, batch, count, x, random.Next(n * k), random.Next(n), random.Next(count * n), activation, null);
        }
    }

    [Theory]
    [MemberData(nameof(GoldenCases))]
    public void Stored_gradients_agree_with_libtorch(string executor, string name)
    {
        var golden = new GoldenCase(name);
        var batch = golden.Batch;
        float[] x = golden["input"], w = golden["weight"], g = golden["grad_output"];
        var (input, weight, bias) = Reference.DenseBackward(Reference.Exact(g), Reference.Exact(x), Reference.Exact(w), batch);
        var (weightFound, biasFound) = WeightGradients(executor, batch, batch, x, g);
        Tolerance.CheckGolden("weight's gradient", weightFound, golden["grad_weight"], weight);
        Tolerance.CheckGolden("bias's gradient", biasFound, golden["grad_bias"], bias);
        Tolerance.CheckGolden("input's gradient", InputGradient(executor, batch, batch, x, w, g, default), golden["grad_input"], input);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Stored_gradients_agree_with_the_reference_at_any_shape(string executor, (int Batch, int Count, int K, int N) shape)
    {
        var random = new Values(1000 * shape.K + shape.N);
        var (batch, count, k, n) = shape;
        float[] w = random.Next(n * k), g = random.Next(count * n), x = random.Next(count * k);
        var (input, weight, bias) = Reference.DenseBackward(Reference.Exact(g), Reference.Exact(x), Reference.Exact(w), count);
        var (weightFound, biasFound) = WeightGradients(executor, batch, count, x, g);
        Tolerance.Check("weight's gradient", weightFound, weight);
        Tolerance.Check("bias's gradient", biasFound, bias);
        foreach (var activation in Activated.On(executor, (long)count * k * n))
        {
            x = Activated.Results(activation, random, count * k);
            Tolerance.Check(
                $"{activation} input's gradient",
                InputGradient(executor, batch, count, x, w, g, activation),
                Activated.TimesDerivative(input, activation, x));
        }
    }

    [Fact]
    public void Gradients_of_another_size_than_the_input_are_an_error()
    {
        FeatureMap output = FeatureMap.Flat(0, 3), input = FeatureMap.Flat(64, 5), wrong = FeatureMap.Flat(128, 6);
        Assert.Throws<ArgumentException>(() => DenseBackwardInput.Of(output, input, 0, wrong, default));
        Assert.Throws<ArgumentException>(() => DenseBackwardUpdate.Of(output, input, 0, 0, wrong, default));
    }

    private static (float[] Weight, float[] Bias) WeightGradients(string executor, int batch, int count, float[] x, float[] g)
    {
        int k = x.Length / count, n = g.Length / count;
        var bench = new Workbench(ExecutorsUnderTest.Open(executor), batch, count);
        var gradients = bench.Writable(bench.Slice(n * (k + 1)), n * (k + 1));
        bench.Run(DenseBackwardWeights.Of(bench.Map(1, 1, n, 0, g), bench.Map(1, 1, k, 0, x), gradients));
        return (bench.Read(gradients, n * k), bench.Read(gradients + n * k, n));
    }

    private static float[] InputGradient(
        string executor, int batch, int count, float[] x, float[] w, float[] g, Activation activation)
    {
        int k = x.Length / count, n = g.Length / count;
        var bench = new Workbench(ExecutorsUnderTest.Open(executor), batch, count);
        var gradient = bench.Writable(bench.Map(1, 1, k, 0));
        bench.Run(DenseBackwardInput.Of(bench.Map(1, 1, n, 0, g), bench.Map(1, 1, k, 0, x), bench.Slice(n * k, w), gradient, activation));
        return bench.Read(gradient);
    }

    private static void Check(
        string executor, int batch, int count, float[] x, float[] w, float[] bias, float[] g, Activation activation, GoldenCase? golden)
    {
        int n = bias.Length, k = w.Length / n;
        var bench = Bench();
        FeatureMap input = bench.Map(1, 1, k, 0, x), output = bench.Writable(bench.Map(1, 1, n, 0));
        bench.Run(DenseForward.Of(input, bench.Slice(n * k, w), bench.Slice(n, bias), output, activation));
        var sums = Reference.Dense(Reference.Exact(x), Reference.Exact(w), Reference.Exact(bias), count);
        Activated.Check("output", bench.Read(output), sums, activation);
        Tolerance.CheckGolden("output", bench.Read(output), golden?["output"], sums);

        var (inputGradient, weightGradient, biasGradient) =
            Reference.DenseBackward(Reference.Exact(g), Reference.Exact(x), Reference.Exact(w), count);
        inputGradient = Activated.TimesDerivative(inputGradient, activation, x);
        foreach (var wantsInputGradient in (bool[])[true, false])
        {
            bench = Bench();
            int weights = bench.Writable(bench.Slice(n * k, w), n * k), biases = bench.Writable(bench.Slice(n, bias), n);
            var gradient = wantsInputGradient ? bench.Writable(bench.Map(1, 1, k, 0)) : default;
            bench.Run(DenseBackwardUpdate.Of(bench.Map(1, 1, n, 0, g), bench.Map(1, 1, k, 0, x), weights, biases, gradient, activation));
            Updated.Check("weight", bench.Read(weights, n * k), w, weightGradient, golden?["grad_weight"]);
            Updated.Check("bias", bench.Read(biases, n), bias, biasGradient, golden?["grad_bias"]);
            if (!wantsInputGradient)
                continue;
            Tolerance.Check("input's gradient", bench.Read(gradient), inputGradient);
            Tolerance.CheckGolden("input's gradient", bench.Read(gradient), golden?["grad_input"], inputGradient);
        }

        Workbench Bench() => new(ExecutorsUnderTest.Open(executor), batch, count);
    }
}
