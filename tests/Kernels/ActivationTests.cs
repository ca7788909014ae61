using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Operations;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

/// <summary>Every activation and its derivative by themselves, in a convolution whose middle tap takes each value as it is.</summary>
[Collection(OnExecutors.Name)]
public class ActivationTests
{
    public static IEnumerable<TheoryDataRow<string, string>> GoldenCases => Rows.Of(
        ExecutorsUnderTest.Names, Golden.Operations.Where(name => new GoldenCase(name).Kind == typeof(Activation)));

    public static IEnumerable<TheoryDataRow<string, Activation>> Activations => Rows.Of(ExecutorsUnderTest.Names, Enum.GetValues<Activation>());

    [Theory]
    [MemberData(nameof(GoldenCases))]
    public void Agrees_with_libtorch(string executor, string name)
    {
        var golden = new GoldenCase(name);
        var (y, gradient) = Run(executor, golden["input"], golden["grad_output"], golden["output"], golden.Batch, golden.Activation);
        Check("output", y, golden["input"], Reference.Exact(golden["output"]));
        Tolerance.Check("gradient", gradient, Reference.Exact(golden["grad_input"]), i => 8 * Tolerance.Rounding * Math.Abs(golden["grad_output"][i]));
    }

    [Theory]
    [MemberData(nameof(Activations))]
    public void Agrees_with_the_reference_from_one_end_of_floats_to_the_other(string executor, Activation activation)
    {
        float[] x =
        [
            .. Enumerable.Range(-100, 201).Select(i => i / 25f), .. Enumerable.Range(-60, 121).Select(i => 2f * i), 1e-30f, -1e-30f, 1e-6f, -1e-6f, 0.624f, 0.625f,
            0.626f, -0.625f, 3e4f, -3e4f, 0f,
        ];
        double[] expected = [.. x.Select(value => Reference.Activate(activation, value))];
        var saved = expected.Select(value => (float)value).ToArray();
        float[] g = new Values(7).Next(x.Length);
        var (y, gradient) = Run(executor, x, g, saved, 1, activation);
        Check(activation.ToString(), y, x, expected);
        Tolerance.Check($"{activation} gradient", gradient, [.. g.Select((value, i) => value * Reference.Derivative(activation, saved[i]))], i =>
            8 * Tolerance.Rounding * Math.Abs(g[i]));
    }

    [Theory]
    [MemberData(nameof(Activations))]
    public void Not_a_number_stays_one(string executor, Activation activation)
    {
        var (y, _) = Run(executor, [1f, float.NaN, -1f], [1f, 1f, 1f], [0.5f, 0.5f, 0.5f], 3, activation);
        Assert.True(float.IsNaN(y[1]) && float.IsFinite(y[0]) && float.IsFinite(y[2]));
    }

    /// <summary>The greatest result is that of the greatest sum, on which pooling inside a convolution relies.</summary>
    [Theory]
    [MemberData(nameof(Activations))]
    public void None_decreases(string executor, Activation activation)
    {
        float[] x = [.. Enumerable.Range(-300, 601).Select(i => i / 20f)];
        var (y, _) = Run(executor, x, x, x, 1, activation);
        var (least, greatest) = AutoencoderGpu.Kernels.Activations.Range(activation);
        Assert.All(y, value => Assert.InRange(value, least, greatest));
        for (var i = 1; i < y.Length; i++)
            Assert.True(y[i] >= y[i - 1] - 2 * (float)Tolerance.Rounding * Math.Abs(y[i]), $"{activation}({x[i]:R}) = {y[i]:R} after {y[i - 1]:R}.");
    }

    private static void Check(string what, float[] y, float[] x, double[] expected) =>
        // An exponential of x is off by roundings of x, as far as the result still depends on it.
        Tolerance.Check(what, y, expected, i => 4 * Tolerance.Rounding * Math.Max(Math.Abs(expected[i]), 1e-37) * (1 + Math.Min(Math.Abs(x[i]), 4)) + 1e-37);

    /// <summary>f(x), and g · f′ where f made <paramref name="saved"/>.</summary>
    private static (float[] Y, float[] Gradient) Run(string executor, float[] x, float[] g, float[] saved, int batch, Activation activation)
    {
        var size = x.Length / batch;
        var bench = new Workbench(ExecutorsUnderTest.Open(executor), batch, batch);
        var weights = new float[9];
        weights[4] = 1;
        FeatureMap input = bench.Map(1, size, 1, 1, x), output = bench.Writable(bench.Map(1, size, 1, 0));
        var gradient = bench.Writable(bench.Map(1, size, 1, 0));
        int filter = bench.Slice(9, weights), bias = bench.Slice(1, [0]);
        bench.Run(
            Conv3x3.Forward(input, filter, bias, output, activation),
            Conv3x3.BackwardInput(bench.Map(1, size, 1, 1, g), filter, gradient, bench.Map(1, size, 1, 0, saved), activation));
        return (bench.Read(output), bench.Read(gradient));
    }
}
