using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Simd;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// The CPU's <see cref="Spread"/> and <see cref="Collect"/>: sums of shares down the columns into rows, then along these. With one
/// channel there is no vector of channels, and the sums along rows of six rows at a time are a product with the matrix of shares.
/// </summary>
public static unsafe partial class UpsampledConv3x3
{
    /// <summary>
    /// Workers take rows of y. Each first adds up, for every column of z, the rows of z that reach it, for the three taps of a
    /// window's row apart; then, for every pixel, the columns.
    /// </summary>
    internal static void RunSpread<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int width = i.Output.Width, cout = i.Input.Channels, rowLength = i.Input.RowStride;
        // The bias is the share of a source that is always 1.
        int depth = 3 * rowLength + 1, stride = Blocks(width, Micro<V>.OuterColumns) * Micro<V>.OuterColumns;
        Worker.RequireRoom(Room<V>(width, cout, depth, stride), Worker.ScratchLength);
        var memory = worker.Scratch;
        Shares rows = new(ref memory, 1), columns = new(ref memory, width);
        for (var q = 0; q < width; q++)
        {
            for (var s = 0; s < 3; s++)
                columns.AddInputs(q, i.Interpolation, q + s - 1, i.Input.Width, s * rowLength, cout);
        }

        var bias = buffers.Arena + i.Bias;
        var matrix = cout == 1 ? Matrix(ref memory, columns, depth, width, stride) : null;
        if (matrix != null)
            new Span<float>(matrix + (depth - 1) * stride, stride).Fill(*bias);
        float* sums = memory, tile = sums + Micro<V>.OuterRows * depth;
        var offsets = stackalloc int[Micro<V>.OuterRows];
        foreach (var block in worker.Items(Blocks(batch.Count * i.Output.Height, Micro<V>.OuterRows)))
        {
            var first = block * Micro<V>.OuterRows;
            var count = Math.Min(Micro<V>.OuterRows, batch.Count * i.Output.Height - first);
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
                Elements<V>.Activate(i.Activation, y, width * cout);
            }

            if (cout > 1)
                continue;
            for (var n = 0; n < stride; n += Micro<V>.OuterColumns)
                Micro<V>.OuterProducts(sums, Rows<V>(offsets, count, depth), 0, 1, matrix + n, 0, stride, 1, depth, tile + n, stride);
            for (var r = 0; r < count; r++)
            {
                Elements<V>.Activate(i.Activation, tile + r * stride, stride);
                Elements<V>.Copy(tile + r * stride, buffers.Arena + i.Output.AtPixel((first + r) * width), width);
            }
        }
    }

    /// <summary>Workers take rows of ∂L/∂z of one window's row: first the rows of g that reach it are added up, then its columns.</summary>
    internal static void RunCollect<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int width = i.Output.Width, cout = i.Output.Channels, rowLength = i.Input.Width * cout;
        var stride = Blocks(3 * width, Micro<V>.OuterColumns) * Micro<V>.OuterColumns;
        Worker.RequireRoom(Room<V>(3 * width, cout, rowLength, stride), Worker.ScratchLength);
        var memory = worker.Scratch;
        Shares rows = new(ref memory, 1), columns = new(ref memory, 3 * width);
        for (var s = 0; s < 3; s++)
        {
            for (var j = 0; j < width; j++)
                columns.AddOutputs(s * width + j, i.Interpolation, j, width, s - 1, cout);
        }

        var matrix = cout == 1 ? Matrix(ref memory, columns, rowLength, 3 * width, stride) : null;
        float* sums = memory, tile = sums + Micro<V>.OuterRows * rowLength;
        var offsets = stackalloc int[Micro<V>.OuterRows];
        foreach (var block in worker.Items(Blocks(3 * batch.Count * i.Output.Height, Micro<V>.OuterRows)))
        {
            var first = block * Micro<V>.OuterRows;
            var count = Math.Min(Micro<V>.OuterRows, 3 * batch.Count * i.Output.Height - first);
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
            for (var n = 0; n < stride; n += Micro<V>.OuterColumns)
                Micro<V>.OuterProducts(sums, Rows<V>(offsets, count, rowLength), 0, 1, matrix + n, 0, stride, 1, rowLength, tile + n, stride);
            for (var item = first; item < first + count; item++)
            {
                int row = item / 3, r = item - 3 * row;
                for (var s = 0; s < 3; s++)
                {
                    var z = buffers.Arena + i.Output.AtPixel(row * width) + (nint)(3 * r + s) * i.TapStride;
                    Elements<V>.Copy(tile + (item - first) * stride + s * width, z, width);
                }
            }
        }
    }

    /// <summary>For a row of y and each of the three taps of a window's row, the rows of z that reach it, added up.</summary>
    private static void SumRows<V>(Shares rows, in Instruction i, in HostBuffers buffers, int row, float* sums)
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

    /// <summary>Floats for the shares and a row's sums or, with one channel, those of six rows and the matrix.</summary>
    private static long Room<V>(int targets, int channels, long depth, int stride)
        where V : unmanaged, ISimd<V> =>
        Shares.Room * (targets + 1L) + (channels == 1 ? depth * stride + Micro<V>.OuterRows * (depth + stride) : depth);

    /// <summary>The shares as a matrix (<paramref name="sources"/>, <paramref name="stride"/>).</summary>
    private static float* Matrix(ref float* memory, Shares shares, int sources, int targets, int stride)
    {
        var matrix = memory;
        memory += sources * stride;
        new Span<float>(matrix, sources * stride).Clear();
        shares.ToMatrix(matrix, targets, stride);
        return matrix;
    }
}
