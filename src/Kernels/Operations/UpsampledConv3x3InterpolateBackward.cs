using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Products;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;
using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>The first step back of an <see cref="UpsampledConv3x3"/>: the gradient of z from that of y.</summary>
public struct UpsampledConv3x3InterpolateBackward : IOperation<UpsampledConv3x3InterpolateBackward>
{
    internal FeatureMap Input;
    internal FeatureMap Output;
    internal int TapStride;
    internal Interpolation Interpolation;

    /// <summary>The gradient of z.</summary>
    /// <param name="outputGradient">g (B, 2H, 2W, Cout).</param>
    /// <param name="productGradients">The first of nine maps (B, H, W, Cout), no border; all are overwritten.</param>
    /// <param name="tapStride">Floats from one of the nine maps to the next, those of a whole mini-batch.</param>
    /// <param name="interpolation">Bilinear or nearest.</param>
    /// <exception cref="ArgumentException">The maps' shapes do not match.</exception>
    public static Instruction Of(FeatureMap outputGradient, FeatureMap productGradients, int tapStride, Interpolation interpolation)
    {
        UpsampledConv3x3.RequireDoubled(productGradients, outputGradient);
        return new Instruction<UpsampledConv3x3InterpolateBackward>(
            new() { Input = outputGradient, Output = productGradients, TapStride = tapStride, Interpolation = interpolation });
    }

    static IReadOnlyList<IKernel<UpsampledConv3x3InterpolateBackward>> IOperation<UpsampledConv3x3InterpolateBackward>.Kernels { get; } =
        [PortableKernel<UpsampledConv3x3InterpolateBackward>.Elementwise("UpsampledConv3x3InterpolateBackward", Kernel, (i, batch) => UpsampledConv3x3.Taps * batch * i.Output.Size)];

    static void IOperation<UpsampledConv3x3InterpolateBackward>.Visit(ref UpsampledConv3x3InterpolateBackward i, OperandVisitor operands)
    {
        operands.Read(ref i.Input);
        operands.Visit(ref i.Output, Access.Write, Border.None, UpsampledConv3x3.Taps, i.TapStride);
    }

    /// <summary>Down the rows for each of 3·H and then along them, up to four shares each.</summary>
    static Cost IOperation<UpsampledConv3x3InterpolateBackward>.Cost(in UpsampledConv3x3InterpolateBackward i, int batch) =>
        new(8L * batch * (3 * i.Input.Size / 2 + UpsampledConv3x3.Taps * i.Output.Size), 4L * batch * (i.Input.Size + UpsampledConv3x3.Taps * i.Output.Size));

    static long IOperation<UpsampledConv3x3InterpolateBackward>.ScratchLength<V>(in UpsampledConv3x3InterpolateBackward i) =>
        UpsampledConv3x3.Room<V>(3 * i.Output.Width, i.Output.Channels, i.Input.Width * i.Output.Channels, Stride<V>(i));

    /// <summary>A thread a value of the nine maps: up to 4×4 outputs. All are read at once, those outside times 0.</summary>
    internal static void Kernel(UpsampledConv3x3InterpolateBackward i, Buffers buffers, MiniBatch batch)
    {
        var index = Grid.GlobalIndex.X;
        if (index >= UpsampledConv3x3.Taps * batch.Count * i.Output.Size)
            return;
        var tap = index / (batch.Count * i.Output.Size);
        index -= tap * batch.Count * i.Output.Size;
        int pixel = index / i.Output.Channels, channel = index - pixel * i.Output.Channels;
        int row = pixel / i.Output.Width, image = row / i.Output.Height;
        int y = row - image * i.Output.Height, x = pixel - row * i.Output.Width;
        var rows = Four.Of(i.Interpolation, y, i.Output.Height, tap / 3 - 1, i.Input.RowStride);
        var columns = Four.Of(i.Interpolation, x, i.Output.Width, tap - tap / 3 * 3 - 1, i.Input.Channels);
        var map = i.Input.At(image, 0, 0) + channel;
        var sum = rows.Weights.X * columns.Mix(buffers.Arena, map + rows.A) + rows.Weights.Y * columns.Mix(buffers.Arena, map + rows.B)
            + (rows.Weights.Z * columns.Mix(buffers.Arena, map + rows.C) + rows.Weights.W * columns.Mix(buffers.Arena, map + rows.D));
        buffers.Arena[i.Output.Offset + tap * i.TapStride + index] = sum;
    }

    /// <summary>
    /// Along one axis, the upsampled pixels 2p − 1 to 2p + 2 that an input p is mixed into: how much of it, and where the tap takes them.
    /// </summary>
    private readonly record struct Four(int A, int B, int C, int D, Float4 Weights)
    {
        public static Four Of(Interpolation interpolation, int input, int inputs, int tap, int stride)
        {
            int first = 2 * input - 1, last = 2 * inputs - 1;
            var scale = Upsample2x.Position.Scale(inputs);
            return new(
                Clamp(first - tap, last) * stride,
                Clamp(first + 1 - tap, last) * stride,
                Clamp(first + 2 - tap, last) * stride,
                Clamp(first + 3 - tap, last) * stride,
                new()
                {
                    X = Weight(interpolation, input, inputs, first, tap, scale),
                    Y = Weight(interpolation, input, inputs, first + 1, tap, scale),
                    Z = Weight(interpolation, input, inputs, first + 2, tap, scale),
                    W = Weight(interpolation, input, inputs, first + 3, tap, scale),
                });
        }

        public float Mix(ArrayView<float> arena, int row) =>
            Weights.X * arena[row + A] + Weights.Y * arena[row + B] + (Weights.Z * arena[row + C] + Weights.W * arena[row + D]);

        private static float Weight(Interpolation interpolation, int input, int inputs, int output, int tap, float scale)
        {
            var last = 2 * inputs - 1;
            var weight = Upsample2x.Position.Of(interpolation, Clamp(output, last), inputs, scale).WeightOf(input);
            return Clamp(output, last) == output && Clamp(output - tap, last) == output - tap ? weight : 0f;
        }

        private static int Clamp(int value, int last) => IntrinsicMath.Max(0, IntrinsicMath.Min(value, last));
    }

    /// <summary>Workers take rows of ∂L/∂z of one window's row: first the rows of g that reach it are added up, then its columns.</summary>
    static unsafe void IOperation<UpsampledConv3x3InterpolateBackward>.Run<V>(in UpsampledConv3x3InterpolateBackward i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        int width = i.Output.Width, cout = i.Output.Channels, rowLength = i.Input.Width * cout;
        var stride = Stride<V>(i);
        var memory = worker.Scratch;
        InterpolationWeights rows = new(ref memory, 1), columns = new(ref memory, 3 * width);
        for (var s = 0; s < 3; s++)
        {
            for (var j = 0; j < width; j++)
                columns.AddOutputs(s * width + j, i.Interpolation, j, width, s - 1, cout);
        }

        var matrix = cout == 1 ? UpsampledConv3x3.Matrix(ref memory, columns, rowLength, 3 * width, stride) : null;
        float* sums = memory, tile = sums + MicroKernel<V>.MR * rowLength;
        var offsets = stackalloc int[MicroKernel<V>.MR];
        foreach (var block in worker.Items(UpsampledConv3x3.Blocks(3 * batch.Count * i.Output.Height, MicroKernel<V>.MR)))
        {
            var first = block * MicroKernel<V>.MR;
            var count = Math.Min(MicroKernel<V>.MR, 3 * batch.Count * i.Output.Height - first);
            for (var item = first; item < first + count; item++)
            {
                int row = item / 3, r = item - 3 * row, image = row / i.Output.Height;
                var target = cout == 1 ? sums + (item - first) * rowLength : sums;
                rows.Clear(0);
                rows.AddOutputs(0, i.Interpolation, row - image * i.Output.Height, i.Output.Height, r - 1, i.Input.RowStride);
                rows.Sum<V>(0, buffers.Arena + i.Input.At(image, 0, 0), target, rowLength);
                for (var s = 0; s < 3 && cout > 1; s++)
                {
                    var z = buffers.Arena + i.Output.AtPixel(row * width) + (nint)(3 * r + s) * i.TapStride;
                    for (var j = 0; j < width; j++)
                        columns.Sum<V>(s * width + j, target, z + j * cout, cout);
                }
            }

            if (cout > 1)
                continue;
            for (var n = 0; n < stride; n += MicroKernel<V>.NR)
                MicroKernel<V>.OuterProducts(sums, UpsampledConv3x3.Rows<V>(offsets, count, rowLength), 0, 1, matrix + n, 0, stride, 1, rowLength, tile + n, stride);
            for (var item = first; item < first + count; item++)
            {
                int row = item / 3, r = item - 3 * row;
                for (var s = 0; s < 3; s++)
                {
                    var z = buffers.Arena + i.Output.AtPixel(row * width) + (nint)(3 * r + s) * i.TapStride;
                    Elementwise<V>.Copy(tile + (item - first) * stride + s * width, z, width);
                }
            }
        }
    }

    /// <summary>The columns of three taps, in whole tiles.</summary>
    private static int Stride<V>(in UpsampledConv3x3InterpolateBackward i)
        where V : unmanaged, ISimd<V> => UpsampledConv3x3.Blocks(3 * i.Output.Width, MicroKernel<V>.NR) * MicroKernel<V>.NR;
}
