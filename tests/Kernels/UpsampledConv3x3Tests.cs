using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Operations;
using AutoencoderGpu.Models;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

/// <summary>The reference is the one of upsampling, followed by the one of the convolution.</summary>
[Collection(OnExecutors.Name)]
public class UpsampledConv3x3Tests
{
    private static readonly (int Batch, int Count, int Cin, int H, int W, int Cout)[] _shapes =
    [
        (1, 1, 1, 1, 1, 1), (3, 2, 3, 1, 2, 5), (2, 2, 5, 2, 1, 16), (7, 5, 16, 3, 5, 3), (2, 1, 17, 7, 7, 33), (10, 9, 33, 2, 3, 1),
        (2, 2, 32, 14, 14, 1), (3, 3, 64, 7, 7, 32),
    ];

    public static IEnumerable<TheoryDataRow<string, (int Batch, int Count, int Cin, int H, int W, int Cout)>> Shapes =>
        Rows.Of(ExecutorsUnderTest.Names, _shapes);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Is_upsampling_followed_by_the_convolution(
        string executor, (int Batch, int Count, int Cin, int H, int W, int Cout) shape)
    {
        foreach (var interpolation in Enum.GetValues<Interpolation>())
            Check(ExecutorsUnderTest.Open(executor), shape, interpolation);
    }

    private static void Check(
        Executor executor, (int Batch, int Count, int Cin, int H, int W, int Cout) shape, Interpolation interpolation)
    {
        var (batch, count, cin, height, width, cout) = shape;
        var random = new Values(1000 * cin + cout);
        var what = $"{height}×{width}×{cin} to {cout}, {interpolation}";
        float[] x = random.Next(count * cin * height * width), w = random.Next(9 * cin * cout), bias = random.Next(cout);
        var g = random.Next(4 * count * cout * height * width);
        var parameter = new Parameter("w", [cout, cin, 3, 3], 9 * cin, 0, IsEncoder: true);
        var upsampled = Reference.Upsample(Reference.Exact(x), height, width, interpolation);

        var bench = new Workbench(executor, batch, count);
        var input = bench.Map(height, width, cin, 0, x);
        var (products, tapStride) = Products(bench, height, width, cout, batch, count);
        var output = bench.Writable(bench.Map(2 * height, 2 * width, cout, 1));
        bench.Run(
            UpsampledConv3x3Project.Of(input, bench.Slice(w.Length, parameter.ToArena(w)), products, tapStride),
            UpsampledConv3x3Spread.Of(products, tapStride, bench.Slice(cout, bias), output, Activation.Relu, interpolation));
        var sums = Reference.Conv3x3(upsampled.Values, Reference.Exact(w), Reference.Exact(bias), count, 2 * height, 2 * width);
        var magnitudes = Reference.Conv3x3(upsampled.Magnitudes, Absolute(w), Absolute(bias), count, 2 * height, 2 * width);
        Activated.Check(what, bench.Read(output), new(sums.Values, magnitudes.Values, 4 * sums.Depth), Activation.Relu);

        var exact = Reference.Conv3x3Backward(Reference.Exact(g), upsampled.Values, Reference.Exact(w), cout, count, 2 * height, 2 * width);
        var bounds = Reference.Conv3x3Backward(Absolute(g), upsampled.Magnitudes, Absolute(w), cout, count, 2 * height, 2 * width);
        var inputSums = new Sums(
            Reference.UpsampleBackward(exact.Input.Values, height, width, interpolation).Values,
            Reference.UpsampleBackward(bounds.Input.Values, height, width, interpolation).Magnitudes,
            16 * exact.Input.Depth).Times(i => Reference.Derivative(Activation.Relu, x[i]));
        bench = new Workbench(executor, batch, count);
        input = bench.Map(height, width, cin, 0, x);
        (products, tapStride) = Products(bench, height, width, cout, batch, count);
        var rotated = bench.Writable(bench.Slice(w.Length), w.Length);
        var inputGradient = bench.Writable(bench.Map(height, width, cin, 1));
        const int splits = 3;
        int length = w.Length + cout, stride = length + 5, gradients = bench.Slice(splits * stride);
        for (var split = 0; split < splits; split++)
            bench.Writable(gradients + split * stride, length);
        bench.Run(
            UpsampledConv3x3Collect.Of(bench.Map(2 * height, 2 * width, cout, 0, g), products, tapStride, interpolation),
            UpsampledConv3x3BackwardWeights.Of(products, tapStride, input, new(gradients, splits, stride)),
            RotateWeights3x3.Of(bench.Slice(w.Length, parameter.ToArena(w)), rotated, cin, cout),
            UpsampledConv3x3BackwardInput.Of(products, tapStride, rotated, inputGradient, input, Activation.Relu));
        Tolerance.Check(what + " input's gradient", bench.Read(inputGradient), inputSums);

        var total = new float[length];
        for (var split = 0; split < splits; split++)
        {
            var part = bench.Read(gradients + split * stride, length);
            for (var i = 0; i < length; i++)
                total[i] += part[i];
        }

        var weights = new Sums(exact.Weight.Values, bounds.Weight.Values, 4 * exact.Weight.Depth);
        Tolerance.Check(what + " weight's gradient", parameter.FromArena(total.AsSpan(0, w.Length)), weights);
        var biases = new Sums(exact.Bias.Values, bounds.Bias.Values, 4 * exact.Bias.Depth);
        Tolerance.Check(what + " bias's gradient", total.AsSpan(w.Length), biases);
    }

    /// <summary>Nine maps with a gap after each, all of them writable.</summary>
    private static (FeatureMap First, int Stride) Products(Workbench bench, int height, int width, int channels, int batch, int count)
    {
        int size = height * width * channels, stride = batch * size + 3, offset = bench.Slice(9 * stride);
        for (var tap = 0; tap < 9; tap++)
            bench.Writable(offset + tap * stride, count * size);
        return (new(offset, height, width, channels, 0), stride);
    }

    private static double[] Absolute(float[] values) => [.. values.Select(value => Math.Abs((double)value))];
}
