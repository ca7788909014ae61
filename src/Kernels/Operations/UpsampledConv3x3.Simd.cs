using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Simd;

namespace AutoencoderGpu.Kernels.Operations;

public static unsafe partial class UpsampledConv3x3
{
    /// <summary>Pixels whose channels and gradients stay in the first-level cache while all tiles of weights' gradients pass.</summary>
    private const int PixelBlock = 64;

    /// <summary>Workers own pixels; a tile is six of them by two vectors of a tap's output channels.</summary>
    internal static void RunProject<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int pixels = batch.Count * i.Input.Height * i.Input.Width, cin = i.Input.Channels, cout = i.Output.Channels;
        float* x = buffers.Arena + i.Input.Offset, z = buffers.Arena + i.Output.Offset, w = buffers.Arena + i.Weights;
        var rows = stackalloc int[Micro<V>.OuterRows];
        var (start, end) = SharePixels<V>(pixels, worker);
        if (cout == 1)
        {
            // Nine taps of one channel each are the columns, as w transposed would have them.
            var transposed = stackalloc float[cin * Taps + Micro<V>.OuterColumns];
            for (var k = 0; k < cin * Taps; k++)
                transposed[k] = w[k % Taps * cin + k / Taps];
            var tile = stackalloc float[Micro<V>.OuterRows * Taps];
            for (var pixel = start; pixel < end; pixel += Micro<V>.OuterRows)
            {
                var count = Math.Min(Micro<V>.OuterRows, end - pixel);
                for (var column = 0; column < Taps; column += Micro<V>.OuterColumns)
                {
                    Micro<V>.OuterProducts(
                        x + (nint)pixel * cin, Rows<V>(rows, count, cin), 0, 1, transposed + column, 0, Taps, 1, cin,
                        tile + column, Taps, count, Math.Min(Micro<V>.OuterColumns, Taps - column), accumulate: false);
                }

                for (var tap = 0; tap < Taps; tap++)
                {
                    for (var r = 0; r < count; r++)
                        z[(nint)tap * i.TapStride + pixel + r] = tile[r * Taps + tap];
                }
            }

            return;
        }

        for (var tap = 0; tap < Taps; tap++)
        {
            for (var n = 0; n < cout; n += Micro<V>.OuterColumns)
            {
                var columns = Math.Min(Micro<V>.OuterColumns, cout - n);
                for (var pixel = start; pixel < end; pixel += Micro<V>.OuterRows)
                {
                    var count = Math.Min(Micro<V>.OuterRows, end - pixel);
                    Micro<V>.OuterProducts(
                        x + (nint)pixel * cin, Rows<V>(rows, count, cin), 0, 1, w + tap * cin * cout + n, 0, cout, 1, cin,
                        z + (nint)tap * i.TapStride + (nint)pixel * cout + n, cout, count, columns, accumulate: false);
                }
            }
        }
    }

    /// <summary>
    /// Workers own rows of y. Each first adds up, for every column of z, the rows of z that reach it, for the three taps of a
    /// window's row apart; then, for every pixel, the columns.
    /// </summary>
    internal static void RunSpread<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int width = i.Input.Width, cout = i.Input.Channels, rowLength = width * cout;
        var sums = stackalloc float[3 * rowLength];
        int* offsets = stackalloc int[i.Output.Width * Shares.Most], counts = stackalloc int[i.Output.Width];
        var weights = stackalloc float[i.Output.Width * Shares.Most];
        new Span<int>(counts, i.Output.Width).Clear();
        var columns = new Shares(offsets, weights, counts);
        for (var q = 0; q < i.Output.Width; q++)
        {
            for (var s = 0; s < 3; s++)
                columns.AddInputs(q, i.Interpolation, q + s - 1, width, s * rowLength, cout);
        }

        int* rowOffsets = stackalloc int[Shares.Most], rowCount = stackalloc int[1];
        var rowWeights = stackalloc float[Shares.Most];
        var rows = new Shares(rowOffsets, rowWeights, rowCount);
        var bias = buffers.Arena + i.Bias;
        var (start, end) = worker.Share(batch.Count * i.Output.Height);
        for (var row = start; row < end; row++)
        {
            var image = row / i.Output.Height;
            rows.Clear(0);
            for (var r = 0; r < 3; r++)
                rows.AddInputs(0, i.Interpolation, row - image * i.Output.Height + r - 1, i.Input.Height, 3 * r * i.TapStride, rowLength);
            var z = buffers.Arena + i.Input.At(image, 0, 0);
            for (var s = 0; s < 3; s++)
                rows.Sum<V>(0, z + (nint)s * i.TapStride, sums + s * rowLength, rowLength);
            var y = buffers.Arena + i.Output.AtPixel(row * i.Output.Width);
            for (var q = 0; q < i.Output.Width; q++)
                columns.Sum<V>(q, sums, y + q * cout, cout, bias);
            Elements<V>.Activate(i.Activation, y, i.Output.Width * cout);
        }
    }

    /// <summary>Workers own rows of ∂L/∂z of one window's row: first the rows of g that reach it are added up, then its columns.</summary>
    internal static void RunCollect<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int width = i.Output.Width, cout = i.Output.Channels, rowLength = i.Input.Width * cout;
        var sums = stackalloc float[rowLength];
        int* offsets = stackalloc int[3 * width * Shares.Most], counts = stackalloc int[3 * width];
        var weights = stackalloc float[3 * width * Shares.Most];
        new Span<int>(counts, 3 * width).Clear();
        var columns = new Shares(offsets, weights, counts);
        for (var s = 0; s < 3; s++)
        {
            for (var j = 0; j < width; j++)
                columns.AddOutputs(s * width + j, i.Interpolation, j, width, s - 1, cout);
        }

        int* rowOffsets = stackalloc int[Shares.Most], rowCount = stackalloc int[1];
        var rowWeights = stackalloc float[Shares.Most];
        var rows = new Shares(rowOffsets, rowWeights, rowCount);
        var (start, end) = worker.Share(3 * batch.Count * i.Output.Height);
        for (var item = start; item < end; item++)
        {
            int row = item / 3, r = item - 3 * row, image = row / i.Output.Height;
            rows.Clear(0);
            rows.AddOutputs(0, i.Interpolation, row - image * i.Output.Height, i.Output.Height, r - 1, i.Input.RowStride);
            rows.Sum<V>(0, buffers.Arena + i.Input.At(image, 0, 0), sums, rowLength);
            for (var s = 0; s < 3; s++)
            {
                var z = buffers.Arena + i.Output.AtPixel(row * width) + (nint)(3 * r + s) * i.TapStride;
                for (var j = 0; j < width; j++)
                    columns.Sum<V>(s * width + j, sums, z + j * cout, cout);
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
        var rows = stackalloc int[Micro<V>.OuterRows];
        int rowBlocks = Blocks(rowsInAll, Micro<V>.OuterRows), columnBlocks = Blocks(columnsInAll, Micro<V>.OuterColumns);
        var (start, end) = worker.Share(matrices * columnBlocks * rowBlocks);
        for (var pixel = 0; pixel < pixels; pixel += PixelBlock)
        {
            var depth = Math.Min(PixelBlock, pixels - pixel);
            for (var block = start; block < end; block++)
            {
                int row = block % rowBlocks * Micro<V>.OuterRows, rest = block / rowBlocks;
                int column = rest % columnBlocks * Micro<V>.OuterColumns, matrix = rest / columnBlocks;
                int rowCount = Math.Min(Micro<V>.OuterRows, rowsInAll - row), columnCount = Math.Min(Micro<V>.OuterColumns, columnsInAll - column);
                float* xHere = x + (nint)pixel * cin, zHere = z + (nint)matrix * i.TapStride + (nint)pixel * cout;
                var rowStride = cout == 1 ? i.TapStride : 1;
                var (left, leftStep, right, rightStep) = cout == 1 ? ((nint)zHere, 1, (nint)xHere, cin) : ((nint)xHere, cin, (nint)zHere, cout);
                Micro<V>.OuterProducts(
                    (float*)left + row * rowStride, Rows<V>(rows, rowCount, rowStride), 0, leftStep, (float*)right + column, 0, rightStep, 1, depth,
                    gradients + (matrix * rowsInAll + row) * columnsInAll + column, columnsInAll, rowCount, columnCount, accumulate: pixel > 0);
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

    /// <summary>Workers own pixels; a tile is six of them by two vectors of input channels, summed over taps and output channels.</summary>
    internal static void RunBackwardInput<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int pixels = batch.Count * i.Input.Height * i.Input.Width, cin = i.Output.Channels, cout = i.Input.Channels;
        float* z = buffers.Arena + i.Input.Offset, lastTap = buffers.Arena + i.Weights + (Taps - 1) * cin * cout;
        int* rows = stackalloc int[Micro<V>.OuterRows];
        var tile = stackalloc float[Micro<V>.OuterRows * Micro<V>.OuterColumns];
        var (start, end) = SharePixels<V>(pixels, worker);
        for (var c = 0; c < cin; c += Micro<V>.OuterColumns)
        {
            for (var pixel = start; pixel < end; pixel += Micro<V>.OuterRows)
            {
                var count = Math.Min(Micro<V>.OuterRows, end - pixel);
                var here = Rows<V>(rows, count, cout);
                // The rotated weights have the last tap first. One channel's nine taps are one run of the depth, not nine.
                if (cout == 1)
                    Micro<V>.OuterProducts(z + pixel, here, 0, i.TapStride, lastTap + c, 0, -cin, 1, Taps, tile, Micro<V>.OuterColumns);
                else
                {
                    Micro<V>.OuterProducts(
                        z + (nint)pixel * cout, here, i.TapStride, 1, lastTap + c, -cin * cout, cin, Taps, cout, tile, Micro<V>.OuterColumns);
                }

                for (var r = 0; r < count; r++)
                    Conv3x3.Store<V>(i, buffers, pixel + r, c, tile + r * Micro<V>.OuterColumns, Math.Min(Micro<V>.OuterColumns, cin - c));
            }
        }
    }

    /// <summary>A worker's share of pixels, in whole tiles.</summary>
    private static (int Start, int End) SharePixels<V>(int pixels, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        var (start, end) = worker.Share(Blocks(pixels, Micro<V>.OuterRows));
        return (start * Micro<V>.OuterRows, Math.Min(pixels, end * Micro<V>.OuterRows));
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
