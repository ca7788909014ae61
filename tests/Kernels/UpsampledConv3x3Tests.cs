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

    public static IEnumerable<TheoryDataRow<string, (int Batch, int Count, int Cin, int H, int W, int Cout)>> WideShapes => Rows.Of(
        ExecutorsUnderTest.Names.Where(name => name != ExecutorsUnderTest.Simulator),
        ((int, int, int, int, int, int)[])[(1, 1, 256, 2, 3, 256), (2, 1, 512, 1, 2, 512), (1, 1, 512, 3, 2, 1), (1, 1, 3, 2, 2, 512)]);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Is_upsampling_followed_by_the_convolution(
        string executor, (int Batch, int Count, int Cin, int H, int W, int Cout) shape)
    {
        foreach (var interpolation in Enum.GetValues<Interpolation>())
        {
            var activations = Activated.On(executor, 9L * shape.Count * shape.Cin * shape.H * shape.W * shape.Cout);
            // Where those are two, each interpolation gets one of them.
            if (activations.Count < Enum.GetValues<Activation>().Length)
                activations = [activations[(int)interpolation]];
            Check(ExecutorsUnderTest.Open(executor), new(shape, interpolation), activations, splits: 3);
        }
    }

    /// <summary>Their weights do not fit into the working memory that is there for all.</summary>
    [Theory]
    [MemberData(nameof(WideShapes))]
    public void Wide_ones_have_working_memory(string executor, (int Batch, int Count, int Cin, int H, int W, int Cout) shape) =>
        Check(ExecutorsUnderTest.Open(executor), new(shape, Interpolation.Bilinear), [Activation.Relu], splits: 1);

    private static void Check(Executor executor, Data data, IReadOnlyList<Activation> activations, int splits)
    {
        var (sums, inputSums, weightSums, biasSums) = data.Expected();
        foreach (var activation in activations)
        {
            CheckForward(executor, data, sums, activation);
            CheckInputGradient(executor, data, inputSums, activation);
        }

        CheckWeightGradients(executor, data, weightSums, biasSums, splits);
    }

    private static void CheckForward(Executor executor, Data data, Sums sums, Activation activation)
    {
        var (batch, count, cin, height, width, cout) = data.Shape;
        var bench = new Workbench(executor, batch, count);
        var input = bench.Map(height, width, cin, 0, data.X);
        var (products, tapStride) = Products(bench, data);
        var output = bench.Writable(bench.Map(2 * height, 2 * width, cout, 1));
        bench.Run(
            UpsampledConv3x3Project.Of(input, bench.Slice(data.W.Length, data.Weights.ToArena(data.W)), products, tapStride),
            UpsampledConv3x3Interpolate.Of(products, tapStride, bench.Slice(cout, data.Bias), output, activation, data.Interpolation));
        Activated.Check(data.What, bench.Read(output), sums, activation);
    }

    private static void CheckInputGradient(Executor executor, Data data, Sums sums, Activation activation)
    {
        var (batch, count, cin, height, width, cout) = data.Shape;
        var x = Activated.Results(activation, new Values(cin), data.X.Length);
        var bench = new Workbench(executor, batch, count);
        var (products, tapStride) = Products(bench, data);
        var rotated = bench.Writable(bench.Slice(data.W.Length), data.W.Length);
        var gradient = bench.Writable(bench.Map(height, width, cin, 1));
        bench.Run(
            UpsampledConv3x3InterpolateBackward.Of(bench.Map(2 * height, 2 * width, cout, 0, data.G), products, tapStride, data.Interpolation),
            RotateWeights3x3.Of(bench.Slice(data.W.Length, data.Weights.ToArena(data.W)), rotated, cin, cout),
            UpsampledConv3x3BackwardInput.Of(products, tapStride, rotated, gradient, bench.Map(height, width, cin, 0, x), activation));
        Tolerance.Check(
            $"{data.What} {activation} input's gradient", bench.Read(gradient), Activated.TimesDerivative(sums, activation, x));
    }

    private static void CheckWeightGradients(Executor executor, Data data, Sums weightSums, Sums biasSums, int splits)
    {
        var (batch, count, cin, height, width, cout) = data.Shape;
        var bench = new Workbench(executor, batch, count);
        var (products, tapStride) = Products(bench, data);
        int length = data.W.Length + cout, stride = length + 5, gradients = bench.Slice(splits * stride);
        for (var split = 0; split < splits; split++)
            bench.Writable(gradients + split * stride, length);
        bench.Run(
            UpsampledConv3x3InterpolateBackward.Of(bench.Map(2 * height, 2 * width, cout, 0, data.G), products, tapStride, data.Interpolation),
            UpsampledConv3x3BackwardWeights.Of(
                products, tapStride, bench.Map(height, width, cin, 0, data.X), new(gradients, splits, stride)));
        var total = new float[length];
        for (var split = 0; split < splits; split++)
        {
            var part = bench.Read(gradients + split * stride, length);
            for (var i = 0; i < length; i++)
                total[i] += part[i];
        }

        Tolerance.Check(data.What + " weight's gradient", data.Weights.FromArena(total.AsSpan(0, data.W.Length)), weightSums);
        Tolerance.Check(data.What + " bias's gradient", total.AsSpan(data.W.Length), biasSums);
    }

    /// <summary>Nine maps with a gap after each, all of them writable.</summary>
    private static (FeatureMap First, int Stride) Products(Workbench bench, Data data)
    {
        var (batch, count, _, height, width, channels) = data.Shape;
        int size = height * width * channels, stride = batch * size + 3, offset = bench.Slice(9 * stride);
        for (var tap = 0; tap < 9; tap++)
            bench.Writable(offset + tap * stride, count * size);
        return (new(offset, height, width, channels, 0), stride);
    }

    /// <summary>NCHW values of one layer.</summary>
    private sealed class Data
    {
        public Data((int Batch, int Count, int Cin, int H, int W, int Cout) shape, Interpolation interpolation)
        {
            var (_, count, cin, height, width, cout) = shape;
            var random = new Values(1000 * cin + cout);
            (Shape, Interpolation, What) = (shape, interpolation, $"{height}×{width}×{cin} to {cout}, {interpolation}");
            (X, W, Bias) = (random.Next(count * cin * height * width), random.Next(9 * cin * cout), random.Next(cout));
            G = random.Next(4 * count * cout * height * width);
            Weights = new("w", [cout, cin, 3, 3], 9 * cin, 0, IsEncoder: true);
        }

        public (int Batch, int Count, int Cin, int H, int W, int Cout) Shape { get; }

        public Interpolation Interpolation { get; }

        public string What { get; }

        public float[] X { get; }

        public float[] W { get; }

        public float[] Bias { get; }

        public float[] G { get; }

        public Parameter Weights { get; }

        /// <summary>The sums of both passes; those of the input's gradient lack its activation's derivative.</summary>
        public (Sums Output, Sums Input, Sums Weight, Sums Bias) Expected()
        {
            var (_, count, _, height, width, cout) = Shape;
            double[] w = Reference.Exact(W), g = Reference.Exact(G);
            int rows = 2 * height, columns = 2 * width;
            var upsampled = Reference.Upsample(Reference.Exact(X), height, width, Interpolation);
            var sums = Reference.Conv3x3(upsampled.Values, w, Reference.Exact(Bias), count, rows, columns);
            var magnitudes = Reference.Conv3x3(upsampled.Magnitudes, Absolute(W), Absolute(Bias), count, rows, columns);
            var exact = Reference.Conv3x3Backward(g, upsampled.Values, w, cout, count, rows, columns);
            var bounds = Reference.Conv3x3Backward(Absolute(G), upsampled.Magnitudes, Absolute(W), cout, count, rows, columns);
            return (
                new(sums.Values, magnitudes.Values, 4 * sums.Depth),
                new(
                    Reference.UpsampleBackward(exact.Input.Values, height, width, Interpolation).Values,
                    Reference.UpsampleBackward(bounds.Input.Values, height, width, Interpolation).Magnitudes,
                    16 * exact.Input.Depth),
                new(exact.Weight.Values, bounds.Weight.Values, 4 * exact.Weight.Depth),
                new(exact.Bias.Values, bounds.Bias.Values, 4 * exact.Bias.Depth));
        }

        private static double[] Absolute(float[] values) => [.. values.Select(value => Math.Abs((double)value))];
    }
}
