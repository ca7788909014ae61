using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Operations;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

/// <summary>The double-precision references against libtorch's float32: off by no more than float32 sums may be.</summary>
public class ReferenceTests
{
    public static IEnumerable<TheoryDataRow<string>> Cases => Golden.Operations.Select(name => new TheoryDataRow<string>(name));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Agrees_with_libtorch(string name)
    {
        var golden = new GoldenCase(name);
        double[] x = Exact("input"), g = Exact("grad_output");
        if (golden.Kind == typeof(DenseForward) || golden.Kind == typeof(Conv3x3))
        {
            var isDense = golden.Kind == typeof(DenseForward);
            double[] w = Exact("weight"), bias = Exact("bias");
            Check("output", isDense
                ? Reference.Dense(x, w, bias, golden.Batch)
                : Reference.Conv3x3(x, w, bias, golden.Batch, golden.Height, golden.Width));
            var (input, weight, biasGradient) = isDense
                ? Reference.DenseBackward(g, x, w, golden.Batch)
                : Reference.Conv3x3Backward(g, x, w, golden.Outputs, golden.Batch, golden.Height, golden.Width);
            Check("grad_input", input);
            Check("grad_weight", weight);
            Check("grad_bias", biasGradient);
        }
        else if (golden.Kind == typeof(Activation))
        {
            var (y, activation) = (Exact("output"), golden.Activation);
            // One rounding of the result, and one of the derivative that is read off it.
            Tolerance.Check("output", golden["output"], [.. x.Select(value => Reference.Activate(activation, value))], i => 4 * Tolerance.Rounding * Math.Abs(y[i]));
            Tolerance.Check("gradient", golden["grad_input"], [.. g.Select((value, i) => value * Reference.Derivative(activation, y[i]))], i =>
                4 * Tolerance.Rounding * Math.Abs(g[i]));
        }
        else if (golden.Kind == typeof(MaxPool2x2))
        {
            var activated = x.Select(value => Reference.Activate(Activation.Relu, value)).ToArray();
            var (values, winners) = Reference.MaxPool(activated, golden.Height, golden.Width);
            var gradient = Reference.MaxPoolBackward(g, winners, x.Length);
            for (var i = 0; i < x.Length; i++)
                gradient[i] *= Reference.Derivative(Activation.Relu, activated[i]);
            Assert.Equal(Exact("output"), values);
            Assert.Equal(Exact("grad_input"), gradient);
        }
        else
        {
            Check("output", Reference.Upsample(x, golden.Height, golden.Width, golden.Interpolation));
            Check("grad_input", Reference.UpsampleBackward(g, golden.Height, golden.Width, golden.Interpolation));
        }

        double[] Exact(string tensor) => Reference.Exact(golden[tensor]);
        void Check(string tensor, Sums expected) => Tolerance.Check(name + " " + tensor, golden[tensor], expected);
    }

    [Fact]
    public void A_file_of_an_unknown_operation_is_a_failure() =>
        Assert.Throws<InvalidDataException>(() => new GoldenCase("op-softmax-1x1"));
}
