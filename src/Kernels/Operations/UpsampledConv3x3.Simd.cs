using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Simd;

namespace AutoencoderGpu.Kernels.Operations;

public static unsafe partial class UpsampledConv3x3
{
    /// <summary>Pixels whose channels and gradients stay in the first-level cache while all tiles of weights' gradients pass.</summary>
    private const int PixelBlock = 96;

    /// <summary>Workers take pixels; a tile is six of them by two vectors of a tap's output channels.</summary>
    internal static void RunProject<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int pixels = batch.Count * i.Input.Height * i.Input.Width, cin = i.Input.Channels, cout = i.Output.Channels;
        float* x = buffers.Arena + i.Input.Offset, z = buffers.Arena + i.Output.Offset, w = buffers.Arena + i.Weights;
        if (cout == 1)
        {
            ProjectOneChannel<V>(i, x, w, z, pixels, worker);
            return;
        }

        foreach (var (start, end) in worker.Tiles(pixels, Micro<V>.OuterRows, PixelBlock))
        {
            for (var tap = 0; tap < Taps; tap++)
            {
                for (var n = 0; n < cout; n += Micro<V>.OuterColumns)
                {
                    Panel<V>.Multiply(
                        x + (nint)start * cin, cin, 1, w + tap * cin * cout + n, cout, cin,
                        z + (nint)tap * i.TapStride + (nint)start * cout + n, cout, end - start, Math.Min(Micro<V>.OuterColumns, cout - n), accumulate: false);
                }
            }
        }
    }

    /// <summary>With one output channel, nine taps are the columns, as w transposed would have them.</summary>
    private static void ProjectOneChannel<V>(in Instruction i, float* x, float* w, float* z, int pixels, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int cin = i.Input.Channels, columns = Blocks(Taps, Micro<V>.OuterColumns) * Micro<V>.OuterColumns;
        Worker.RequireRoom((long)(cin + Micro<V>.OuterRows) * columns, Worker.ScratchLength);
        float* transposed = worker.Scratch, tile = transposed + cin * columns;
        for (var k = 0; k < cin * Taps; k++)
            transposed[k % cin * columns + k / cin] = w[k];
        var rows = stackalloc int[Micro<V>.OuterRows];
        foreach (var (pixel, last) in worker.Tiles(pixels, Micro<V>.OuterRows, Micro<V>.OuterRows))
        {
            var count = last - pixel;
            for (var n = 0; n < columns; n += Micro<V>.OuterColumns)
                Micro<V>.OuterProducts(x + (nint)pixel * cin, Rows<V>(rows, count, cin), 0, 1, transposed + n, 0, columns, 1, cin, tile + n, columns);
            for (var tap = 0; tap < Taps; tap++)
            {
                for (var r = 0; r < count; r++)
                    z[(nint)tap * i.TapStride + pixel + r] = tile[r * columns + tap];
            }
        }
    }

    /// <summary>
    /// Workers own tiles of the gradient, six input channels by two vectors of a tap's output channels, so that nothing is summed
    /// across them. With one output channel, rows are taps and columns input channels.
    /// </summary>
    internal static void RunBackwardWeights<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int pixels = batch.Count * i.Input.Height * i.Input.Width, cin = i.Saved.Channels, cout = i.Input.Channels;
        float* x = buffers.Arena + i.Saved.Offset, z = buffers.Arena + i.Input.Offset, gradients = buffers.Arena + i.Gradients;
        var (rowsInAll, columnsInAll, matrices) = cout == 1 ? (Taps, cin, 1) : (cin, cout, Taps);
        int rowBlocks = Blocks(rowsInAll, Micro<V>.OuterRows), columnBlocks = Blocks(columnsInAll, Micro<V>.OuterColumns);
        var (start, end) = worker.Share(matrices * columnBlocks * rowBlocks);
        for (var pixel = 0; pixel < pixels; pixel += PixelBlock)
        {
            var depth = Math.Min(PixelBlock, pixels - pixel);
            for (int block = start, run; block < end; block += run)
            {
                int rowBlock = block % rowBlocks, rest = block / rowBlocks;
                run = Math.Min(end - block, rowBlocks - rowBlock);
                int row = rowBlock * Micro<V>.OuterRows, rowCount = Math.Min(run * Micro<V>.OuterRows, rowsInAll - row);
                int column = rest % columnBlocks * Micro<V>.OuterColumns, matrix = rest / columnBlocks;
                float* xHere = x + (nint)pixel * cin, zHere = z + (nint)matrix * i.TapStride + (nint)pixel * cout;
                var rowStride = cout == 1 ? i.TapStride : 1;
                var (left, leftStep, right, rightStep) = cout == 1 ? ((nint)zHere, 1, (nint)xHere, cin) : ((nint)xHere, cin, (nint)zHere, cout);
                Panel<V>.Multiply(
                    (float*)left + row * rowStride, rowStride, leftStep, (float*)right + column, rightStep, depth,
                    gradients + (matrix * rowsInAll + row) * columnsInAll + column, columnsInAll,
                    rowCount, Math.Min(Micro<V>.OuterColumns, columnsInAll - column), accumulate: pixel > 0);
            }
        }

        (start, end) = worker.Share(cout);
        var bias = gradients + Taps * cin * cout;
        new Span<float>(bias + start, end - start).Clear();
        for (var pixel = 0; pixel < pixels && start < end; pixel++)
            Elements<V>.Add(z + (nint)(Taps / 2) * i.TapStride + (nint)pixel * cout + start, bias + start, end - start);

        // The first partial sum is the whole one here.
        (start, end) = worker.Share((Taps * cin + 1) * cout);
        for (var split = 1; split < i.Splits; split++)
            new Span<float>(gradients + (nint)split * i.SplitStride + start, end - start).Clear();
    }

    /// <summary>Workers take pixels; a tile is six of them by two vectors of input channels, summed over taps and output channels.</summary>
    internal static void RunBackwardInput<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int pixels = batch.Count * i.Input.Height * i.Input.Width, cin = i.Output.Channels, cout = i.Input.Channels;
        float* z = buffers.Arena + i.Input.Offset, lastTap = buffers.Arena + i.Weights + (Taps - 1) * cin * cout;
        int width = Micro<V>.OuterColumns, tileRows = Micro<V>.OuterRows, stride = Blocks(cin, width) * width;
        float* panel = worker.Scratch, sums = panel + Taps * cout * width;
        var stage = Math.Clamp((Worker.ScratchLength - Taps * cout * width) / stride / tileRows, 1, PixelBlock / tileRows) * tileRows;
        Worker.RequireRoom((long)Taps * cout * width + (long)stage * stride, Worker.ScratchLength);
        var rows = stackalloc int[tileRows];
        foreach (var (first, last) in worker.Tiles(pixels, tileRows, stage))
        {
            for (var c = 0; c < stride; c += width)
            {
                // The rotated weights have the last tap first. One channel's nine taps are one run of the depth, not nine.
                if (cout == 1)
                {
                    Panel<V>.Multiply(z + first, 1, i.TapStride, lastTap + c, -cin, Taps, sums + c, stride, Blocks(last - first, tileRows));
                    continue;
                }

                // Together, since in place their lines are a power of two apart and would not stay in the cache for a tile after another.
                for (var tap = 0; tap < Taps; tap++)
                    Panel<V>.Pack(1f, lastTap - tap * cin * cout + c, cin, cout, panel + tap * cout * width);
                for (var pixel = first; pixel < last; pixel += tileRows)
                {
                    Micro<V>.OuterProducts(
                        z + (nint)pixel * cout, Rows<V>(rows, Math.Min(tileRows, last - pixel), cout), i.TapStride, 1,
                        panel, cout * width, width, Taps, cout, sums + (pixel - first) * stride + c, stride);
                }
            }

            for (var pixel = first; pixel < last; pixel++)
            {
                Elements<V>.TimesDerivative(
                    i.Derivative, buffers.Arena + i.Saved.AtPixel(pixel), sums + (pixel - first) * stride,
                    buffers.Arena + i.Output.AtPixel(pixel), cin);
            }
        }
    }

    /// <summary>Offsets of a tile's rows; those beyond the last are the last one again.</summary>
    private static int* Rows<V>(int* rows, int count, int stride)
        where V : unmanaged, ISimd<V>
    {
        for (var r = 0; r < Micro<V>.OuterRows; r++)
            rows[r] = Math.Min(r, count - 1) * stride;
        return rows;
    }

    private static int Blocks(int items, int size) => (items + size - 1) / size;
}
