using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Products;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>The gradients of an <see cref="UpsampledConv3x3"/>'s weights and bias, from that of z.</summary>
public struct UpsampledConv3x3BackwardWeights : IOperation<UpsampledConv3x3BackwardWeights>
{
    internal FeatureMap Input;
    internal FeatureMap Saved;
    internal int TapStride;
    internal SplitGradients Target;

    /// <summary>The gradients of weights and bias.</summary>
    /// <param name="productGradients">The first of nine maps (B, H, W, Cout), no border.</param>
    /// <param name="tapStride">Floats from one of the nine maps to the next, those of a whole mini-batch.</param>
    /// <param name="input">x (B, H, W, Cin), no border.</param>
    /// <param name="target">Overwritten.</param>
    /// <exception cref="ArgumentException">The maps' shapes do not match.</exception>
    public static Instruction Of(FeatureMap productGradients, int tapStride, FeatureMap input, SplitGradients target)
    {
        UpsampledConv3x3.RequireSameSides(input, productGradients);
        return new Instruction<UpsampledConv3x3BackwardWeights>(new() { Input = productGradients, TapStride = tapStride, Saved = input, Target = target });
    }

    static IReadOnlyList<IKernel<UpsampledConv3x3BackwardWeights>> IOperation<UpsampledConv3x3BackwardWeights>.Kernels { get; } =
        [TiledProduct.KernelOf<Product, UpsampledConv3x3BackwardWeights>("UpsampledConv3x3BackwardWeights", KernelRole.Gradient, i => i.Target.Splits)];

    static void IOperation<UpsampledConv3x3BackwardWeights>.Visit(ref UpsampledConv3x3BackwardWeights i, OperandVisitor operands)
    {
        operands.Visit(ref i.Input, Access.Read, Border.None, UpsampledConv3x3.Taps, i.TapStride);
        operands.Read(ref i.Saved, Border.None);
        i.Target = i.Target.Visited(operands, i.Saved.Channels, i.Input.Channels);
    }

    static Cost IOperation<UpsampledConv3x3BackwardWeights>.Cost(in UpsampledConv3x3BackwardWeights i, int batch)
    {
        const int taps = UpsampledConv3x3.Taps;
        long pixels = (long)batch * i.Input.Height * i.Input.Width, cin = i.Saved.Channels, cout = i.Input.Channels;
        return new(2 * pixels * (taps * cin + 1) * cout, 4 * (pixels * (cin + taps * cout) + (taps * cin + 1) * cout * i.Target.Splits));
    }

    /// <summary>
    /// Rows are input channels and, last, the constant 1 of the bias; columns are taps and output channels, the depth runs over
    /// pixels. Of the last row only the middle tap counts.
    /// </summary>
    internal readonly struct Product : ITiledProduct<UpsampledConv3x3BackwardWeights>
    {
        public static bool LeftRunsAlongDepth => false;

        public static bool RightRunsAlongDepth => false;

        public static int Rows(in UpsampledConv3x3BackwardWeights i, int batch) => i.Saved.Channels + 1;

        public static int Columns(in UpsampledConv3x3BackwardWeights i) => UpsampledConv3x3.Taps * i.Input.Channels;

        public static int Depth(in UpsampledConv3x3BackwardWeights i, int batch) => batch * i.Input.Height * i.Input.Width;

        public static int RowPlace(in UpsampledConv3x3BackwardWeights i, int row) => row == i.Saved.Channels ? TiledProduct.One : i.Saved.Offset + row;

        public static int ColumnPlace(in UpsampledConv3x3BackwardWeights i, int column) => UpsampledConv3x3.Place(i.Input, i.TapStride, column);

        public static int LeftPlace(in UpsampledConv3x3BackwardWeights i, int depth) => depth * i.Saved.Channels;

        public static int RightPlace(in UpsampledConv3x3BackwardWeights i, int depth) => depth * i.Input.Channels;

        public static float Left(in UpsampledConv3x3BackwardWeights i, in Buffers buffers, int row, int depth) =>
            row == TiledProduct.One ? 1f : buffers.Arena[row + depth];

        public static float Right(in UpsampledConv3x3BackwardWeights i, in Buffers buffers, int depth, int column) => buffers.Arena[column + depth];

        public static int ResultPlace(in UpsampledConv3x3BackwardWeights i, int row, int column, int split)
        {
            int cin = i.Saved.Channels, cout = i.Input.Channels, tap = column / cout, n = column - tap * cout;
            if (row == cin && tap != UpsampledConv3x3.Taps / 2)
                return -1;
            return i.Target.Offset + split * i.Target.Stride + (row == cin ? UpsampledConv3x3.Taps * cin : tap * cin + row) * cout + n;
        }

        public static float Result(in UpsampledConv3x3BackwardWeights i, in Buffers buffers, in MiniBatch batch, int row, int column, float sum) => sum;
    }

    /// <summary>
    /// Workers own tiles of the gradient, six input channels by two vectors of a tap's output channels, so that nothing is summed
    /// across them. With one output channel, rows are taps and columns input channels.
    /// </summary>
    static unsafe void IOperation<UpsampledConv3x3BackwardWeights>.Run<V>(in UpsampledConv3x3BackwardWeights i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        int pixels = batch.Count * i.Input.Height * i.Input.Width, cin = i.Saved.Channels, cout = i.Input.Channels;
        float* x = buffers.Arena + i.Saved.Offset, z = buffers.Arena + i.Input.Offset, gradients = buffers.Arena + i.Target.Offset;
        var (rowsInAll, columnsInAll, matrices) = cout == 1 ? (UpsampledConv3x3.Taps, cin, 1) : (cin, cout, UpsampledConv3x3.Taps);
        int rowBlocks = UpsampledConv3x3.Blocks(rowsInAll, MicroKernel<V>.MR), columnBlocks = UpsampledConv3x3.Blocks(columnsInAll, MicroKernel<V>.NR);
        var (start, end) = worker.Range(matrices * columnBlocks * rowBlocks);
        for (var pixel = 0; pixel < pixels; pixel += UpsampledConv3x3.PixelBlock)
        {
            var depth = Math.Min(UpsampledConv3x3.PixelBlock, pixels - pixel);
            for (int block = start, run; block < end; block += run)
            {
                int rowBlock = block % rowBlocks, rest = block / rowBlocks;
                run = Math.Min(end - block, rowBlocks - rowBlock);
                int row = rowBlock * MicroKernel<V>.MR, rowCount = Math.Min(run * MicroKernel<V>.MR, rowsInAll - row);
                int column = rest % columnBlocks * MicroKernel<V>.NR, matrix = rest / columnBlocks;
                float* xHere = x + (nint)pixel * cin, zHere = z + (nint)matrix * i.TapStride + (nint)pixel * cout;
                var rowStride = cout == 1 ? i.TapStride : 1;
                var (left, leftStep, right, rightStep) = cout == 1 ? ((nint)zHere, 1, (nint)xHere, cin) : ((nint)xHere, cin, (nint)zHere, cout);
                Panel<V>.Multiply(
                    (float*)left + row * rowStride, rowStride, leftStep, (float*)right + column, rightStep, depth,
                    gradients + (matrix * rowsInAll + row) * columnsInAll + column, columnsInAll,
                    rowCount, Math.Min(MicroKernel<V>.NR, columnsInAll - column), accumulate: pixel > 0);
            }
        }

        (start, end) = worker.Range(cout);
        var bias = gradients + UpsampledConv3x3.Taps * cin * cout;
        new Span<float>(bias + start, end - start).Clear();
        for (var pixel = 0; pixel < pixels && start < end; pixel++)
            Elementwise<V>.Add(z + (nint)(UpsampledConv3x3.Taps / 2) * i.TapStride + (nint)pixel * cout + start, bias + start, end - start);

        // The first partial sum is the whole one here.
        (start, end) = worker.Range((UpsampledConv3x3.Taps * cin + 1) * cout);
        for (var split = 1; split < i.Target.Splits; split++)
            new Span<float>(gradients + (nint)split * i.Target.Stride + start, end - start).Clear();
    }
}
