using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Products;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;
using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>The second step of an <see cref="UpsampledConv3x3"/>: y from z.</summary>
public struct UpsampledConv3x3Interpolate : IOperation<UpsampledConv3x3Interpolate>
{
    internal FeatureMap Input;
    internal FeatureMap Output;
    internal int TapStride;
    internal int Bias;
    internal Activation Activation;
    internal Interpolation Interpolation;

    /// <summary>y from z.</summary>
    /// <param name="products">The first of z's nine maps (B, H, W, Cout), no border.</param>
    /// <param name="tapStride">Floats from one of z's maps to the next, those of a whole mini-batch.</param>
    /// <param name="bias">Arena offset of the bias (Cout).</param>
    /// <param name="output">y (B, 2H, 2W, Cout); overwritten.</param>
    /// <param name="activation">f.</param>
    /// <param name="interpolation">Bilinear or nearest.</param>
    /// <exception cref="ArgumentException">The maps' shapes do not match.</exception>
    public static Instruction Of(
        FeatureMap products, int tapStride, int bias, FeatureMap output, Activation activation, Interpolation interpolation)
    {
        UpsampledConv3x3.RequireDoubled(products, output);
        return new Instruction<UpsampledConv3x3Interpolate>(new()
        {
            Input = products,
            TapStride = tapStride,
            Output = output,
            Bias = bias,
            Activation = activation,
            Interpolation = interpolation,
        });
    }

    static IReadOnlyList<IKernel<UpsampledConv3x3Interpolate>> IOperation<UpsampledConv3x3Interpolate>.Kernels { get; } =
        [PortableKernel<UpsampledConv3x3Interpolate>.Elementwise("UpsampledConv3x3Interpolate", Kernel, (i, batch) => batch * i.Output.Size)];

    static void IOperation<UpsampledConv3x3Interpolate>.Visit(ref UpsampledConv3x3Interpolate i, OperandVisitor operands)
    {
        operands.Visit(ref i.Input, Access.Read, Border.None, UpsampledConv3x3.Taps, i.TapStride);
        operands.Write(ref i.Output);
        operands.Read(ref i.Bias, i.Output.Channels);
    }

    /// <summary>Along the columns of 2H rows and then along their rows, up to six shares each.</summary>
    static Cost IOperation<UpsampledConv3x3Interpolate>.Cost(in UpsampledConv3x3Interpolate i, int batch) =>
        new(12L * batch * (3 * i.Input.Size * 2 + i.Output.Size), 4L * batch * (UpsampledConv3x3.Taps * i.Input.Size + i.Output.Size));

    static long IOperation<UpsampledConv3x3Interpolate>.ScratchLength<V>(in UpsampledConv3x3Interpolate i)
    {
        var (depth, stride) = Matrix<V>(i);
        return UpsampledConv3x3.Room<V>(i.Output.Width, i.Input.Channels, depth, stride);
    }

    /// <summary>A thread an output value: nine taps of four shares. All are read at once, those outside times 0.</summary>
    internal static void Kernel(UpsampledConv3x3Interpolate i, Buffers buffers, MiniBatch batch)
    {
        var index = Grid.GlobalIndex.X;
        if (index >= batch.Count * i.Output.Size)
            return;
        int pixel = index / i.Output.Channels, channel = index - pixel * i.Output.Channels;
        int row = pixel / i.Output.Width, image = row / i.Output.Height;
        int y = row - image * i.Output.Height, x = pixel - row * i.Output.Width;
        var scale = Upsample2x.Position.Scale(i.Input.Width);
        var left = Pair.Of(i.Interpolation, x - 1, i.Input.Width, scale, i.Input.Channels);
        var middle = Pair.Of(i.Interpolation, x, i.Input.Width, scale, i.Input.Channels);
        var right = Pair.Of(i.Interpolation, x + 1, i.Input.Width, scale, i.Input.Channels);
        scale = Upsample2x.Position.Scale(i.Input.Height);
        var above = Pair.Of(i.Interpolation, y - 1, i.Input.Height, scale, i.Input.RowStride);
        var same = Pair.Of(i.Interpolation, y, i.Input.Height, scale, i.Input.RowStride);
        var below = Pair.Of(i.Interpolation, y + 1, i.Input.Height, scale, i.Input.RowStride);
        var map = i.Input.At(image, 0, 0) + channel;
        var sum = buffers.Arena[i.Bias + channel]
            + Mix(i, buffers, map, above, left, middle, right)
            + Mix(i, buffers, map + 3 * i.TapStride, same, left, middle, right)
            + Mix(i, buffers, map + 6 * i.TapStride, below, left, middle, right);
        buffers.Arena[i.Output.AtPixel(pixel) + channel] = Activations.Apply(i.Activation, sum);
    }

    /// <summary>What the three taps of a row give to an output.</summary>
    private static float Mix(in UpsampledConv3x3Interpolate i, in Buffers buffers, int map, Pair row, Pair left, Pair middle, Pair right) =>
        row.Mix(buffers.Arena, map, left)
        + row.Mix(buffers.Arena, map + i.TapStride, middle)
        + row.Mix(buffers.Arena, map + 2 * i.TapStride, right);

    /// <summary>Along one axis, what an upsampled pixel is mixed from: from where, and how much of it.</summary>
    private readonly record struct Pair(int First, int Second, float FirstWeight, float SecondWeight)
    {
        public static Pair Of(Interpolation interpolation, int output, int inputs, float scale, int stride)
        {
            var isInside = output >= 0 && output < 2 * inputs;
            var position = Upsample2x.Position.Of(interpolation, isInside ? output : 0, inputs, scale);
            return new(
                position.First * stride,
                position.Second * stride,
                isInside ? 1f - position.Weight : 0f,
                isInside ? position.Weight : 0f);
        }

        /// <summary>The pixel of a map that is mixed from these rows and from columns.</summary>
        public float Mix(ArrayView<float> arena, int map, Pair columns) =>
            FirstWeight * columns.Mix(arena, map + First) + SecondWeight * columns.Mix(arena, map + Second);

        private float Mix(ArrayView<float> arena, int row) => FirstWeight * arena[row + First] + SecondWeight * arena[row + Second];
    }

    /// <summary>
    /// Workers take rows of y. Each first adds up, for every column of z, the rows of z that reach it, for the three taps of a
    /// window's row apart; then, for every pixel, the columns.
    /// </summary>
    static unsafe void IOperation<UpsampledConv3x3Interpolate>.Run<V>(in UpsampledConv3x3Interpolate i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        int width = i.Output.Width, cout = i.Input.Channels, rowLength = i.Input.RowStride;
        // The bias is the share of a source that is always 1.
        var (depth, stride) = Matrix<V>(i);
        var memory = worker.Scratch;
        InterpolationWeights rows = new(ref memory, 1), columns = new(ref memory, width);
        for (var q = 0; q < width; q++)
        {
            for (var s = 0; s < 3; s++)
                columns.AddInputs(q, i.Interpolation, q + s - 1, i.Input.Width, s * rowLength, cout);
        }

        var bias = buffers.Arena + i.Bias;
        var matrix = cout == 1 ? UpsampledConv3x3.Matrix(ref memory, columns, depth, width, stride) : null;
        if (matrix != null)
            new Span<float>(matrix + (depth - 1) * stride, stride).Fill(*bias);
        float* sums = memory, tile = sums + MicroKernel<V>.MR * depth;
        var offsets = stackalloc int[MicroKernel<V>.MR];
        foreach (var block in worker.Items(UpsampledConv3x3.Blocks(batch.Count * i.Output.Height, MicroKernel<V>.MR)))
        {
            var first = block * MicroKernel<V>.MR;
            var count = Math.Min(MicroKernel<V>.MR, batch.Count * i.Output.Height - first);
            for (var r = 0; r < count; r++)
            {
                var target = cout == 1 ? sums + r * depth : sums;
                SumRows<V>(rows, i, buffers, first + r, target);
                if (cout == 1)
                {
                    target[depth - 1] = 1f;
                    continue;
                }

                var y = buffers.Arena + i.Output.AtPixel((first + r) * width);
                for (var q = 0; q < width; q++)
                    columns.Sum<V>(q, target, y + q * cout, cout, bias);
                Activations<V>.Activate(i.Activation, y, width * cout);
            }

            if (cout > 1)
                continue;
            for (var n = 0; n < stride; n += MicroKernel<V>.NR)
                MicroKernel<V>.OuterProducts(sums, UpsampledConv3x3.Rows<V>(offsets, count, depth), 0, 1, matrix + n, 0, stride, 1, depth, tile + n, stride);
            for (var r = 0; r < count; r++)
            {
                Activations<V>.Activate(i.Activation, tile + r * stride, stride);
                Elementwise<V>.Copy(tile + r * stride, buffers.Arena + i.Output.AtPixel((first + r) * width), width);
            }
        }
    }

    /// <summary>The sources of a row's outputs, of which the bias is one, and the outputs in whole tiles.</summary>
    private static (int Depth, int Stride) Matrix<V>(in UpsampledConv3x3Interpolate i)
        where V : unmanaged, ISimd<V> =>
        (3 * i.Input.RowStride + 1, UpsampledConv3x3.Blocks(i.Output.Width, MicroKernel<V>.NR) * MicroKernel<V>.NR);

    /// <summary>For a row of y and each of the three taps of a window's row, the rows of z that reach it, added up.</summary>
    private static unsafe void SumRows<V>(InterpolationWeights rows, in UpsampledConv3x3Interpolate i, in HostBuffers buffers, int row, float* sums)
        where V : unmanaged, ISimd<V>
    {
        var image = row / i.Output.Height;
        rows.Clear(0);
        for (var r = 0; r < 3; r++)
        {
            rows.AddInputs(
                0, i.Interpolation, row - image * i.Output.Height + r - 1, i.Input.Height, 3 * r * i.TapStride, i.Input.RowStride);
        }

        var z = buffers.Arena + i.Input.At(image, 0, 0);
        for (var s = 0; s < 3; s++)
            rows.Sum<V>(0, z + (nint)s * i.TapStride, sums + s * i.Input.RowStride, i.Input.RowStride);
    }
}
