using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Products;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// The gradients of a <see cref="Conv3x3"/>'s parameters, with g = ∂L/∂(pre-activation) (B, H, W, Cout):
/// ∂L/∂w[r, s, c, n] = Σ_{b,p,q} x[b, p+r−1, q+s−1, c] · g[b, p, q, n], ∂L/∂bias[n] = Σ_{b,p,q} g[b, p, q, n]. The bias is one more row of
/// the (9·Cin + 1, Cout) matrix, that of an input which is always 1.
/// </summary>
public struct Conv3x3BackwardWeights : IOperation<Conv3x3BackwardWeights>
{
    internal FeatureMap OutputGradient;
    internal FeatureMap Saved;
    internal SplitGradients Target;

    /// <summary>The gradients of weights and bias.</summary>
    /// <param name="outputGradient">g (B, H, W, Cout).</param>
    /// <param name="input">x (B, H, W, Cin), border 1.</param>
    /// <param name="target">Overwritten.</param>
    /// <exception cref="ArgumentException">The maps' shapes do not match.</exception>
    public static Instruction Of(FeatureMap outputGradient, FeatureMap input, SplitGradients target)
    {
        Conv3x3.RequireShapes(input, outputGradient);
        return new Instruction<Conv3x3BackwardWeights>(new() { OutputGradient = outputGradient, Saved = input, Target = target });
    }

    static IReadOnlyList<IKernel<Conv3x3BackwardWeights>> IOperation<Conv3x3BackwardWeights>.Kernels { get; } =
        [TiledProduct.KernelOf<Product, Conv3x3BackwardWeights>("Conv3x3BackwardWeights", KernelRole.Gradient, i => i.Target.Splits)];

    static void IOperation<Conv3x3BackwardWeights>.Visit(ref Conv3x3BackwardWeights i, OperandVisitor operands)
    {
        operands.Read(ref i.OutputGradient);
        operands.Read(ref i.Saved, Border.Zeros);
        i.Target = i.Target.Visited(operands, i.Saved.Channels, i.OutputGradient.Channels);
    }

    static Cost IOperation<Conv3x3BackwardWeights>.Cost(in Conv3x3BackwardWeights i, int batch)
    {
        long pixels = (long)batch * i.OutputGradient.Height * i.OutputGradient.Width, cin = i.Saved.Channels, cout = i.OutputGradient.Channels;
        return new(2 * pixels * (9 * cin + 1) * cout, 4 * (pixels * (cin + cout) + (9 * cin + 1) * cout * i.Target.Splits));
    }

    /// <summary>
    /// Rows are the window's inputs and, last, the constant 1 of the bias; columns are output channels, the depth runs over pixels.
    /// </summary>
    internal readonly struct Product : ITiledProduct<Conv3x3BackwardWeights>
    {
        public static bool LeftRunsAlongDepth => false;

        public static bool RightRunsAlongDepth => false;

        public static int Rows(in Conv3x3BackwardWeights i, int batch) => 9 * i.Saved.Channels + 1;

        public static int Columns(in Conv3x3BackwardWeights i) => i.OutputGradient.Channels;

        public static int Depth(in Conv3x3BackwardWeights i, int batch) => batch * i.OutputGradient.Height * i.OutputGradient.Width;

        public static int RowPlace(in Conv3x3BackwardWeights i, int row) =>
            row == 9 * i.Saved.Channels ? TiledProduct.One : Conv3x3.Tap(i.Saved, row);

        public static int ColumnPlace(in Conv3x3BackwardWeights i, int column) => column;

        public static int LeftPlace(in Conv3x3BackwardWeights i, int depth) => Conv3x3.Window(i.Saved, i.Saved.AtPixelOf(i.OutputGradient, depth));

        public static int RightPlace(in Conv3x3BackwardWeights i, int depth) => i.OutputGradient.AtPixel(depth);

        public static float Left(in Conv3x3BackwardWeights i, in Buffers buffers, int row, int depth) =>
            row == TiledProduct.One ? 1f : buffers.Arena[row + depth];

        public static float Right(in Conv3x3BackwardWeights i, in Buffers buffers, int depth, int column) => buffers.Arena[column + depth];

        public static int ResultPlace(in Conv3x3BackwardWeights i, int row, int column, int split) =>
            i.Target.Offset + split * i.Target.Stride + row * i.OutputGradient.Channels + column;

        public static float Result(in Conv3x3BackwardWeights i, in Buffers buffers, in MiniBatch batch, int row, int column, float sum) => sum;
    }

    /// <summary>
    /// Workers own rows of the gradient, so that nothing is summed across them; a tile is six of the window's inputs by two vectors
    /// of output channels, summed over one image's pixels while they are in the cache.
    /// </summary>
    static unsafe void IOperation<Conv3x3BackwardWeights>.Run<V>(in Conv3x3BackwardWeights i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        FeatureMap x = i.Saved, g = i.OutputGradient;
        ClearOtherSplits(i.Target, x, g, buffers, worker);
        if (Winograd.Suits<V>(x.Channels, g.Channels))
        {
            Winograd.WeightGradients<V>(buffers, x, g, i.Target.Offset, batch.Count, worker);
            return;
        }

        for (var image = 0; image < batch.Count; image++)
        {
            AddWeightGradients<V>(
                x, buffers.Arena + x.At(image, 0, 0), g, buffers.Arena + g.At(image, 0, 0), buffers.Arena + i.Target.Offset,
                accumulate: image > 0, worker);
        }

        SumBias<V>(i.Target, x, g, buffers, batch.Count, worker);
    }

    /// <summary>The first partial sum is the whole one on the CPU; the others become zeros.</summary>
    internal static unsafe void ClearOtherSplits(in SplitGradients target, in FeatureMap x, in FeatureMap g, in HostBuffers buffers, Worker worker)
    {
        var (start, end) = worker.Range((9 * x.Channels + 1) * g.Channels);
        for (var split = 1; split < target.Splits; split++)
            new Span<float>(buffers.Arena + target.Offset + (nint)split * target.Stride + start, end - start).Clear();
    }

    /// <summary>The weights' gradients from some rows of pixels.</summary>
    /// <param name="input">The first row's first pixel, in a map like <paramref name="x"/>.</param>
    /// <param name="gradient">The first row's first pixel, in a map like <paramref name="g"/>, which has as many rows as are summed.</param>
    /// <param name="target">(9·Cin, Cout)</param>
    /// <param name="accumulate">Whether the sums are added to the target instead of overwriting it.</param>
    internal static unsafe void AddWeightGradients<V>(
        in FeatureMap x, float* input, in FeatureMap g, float* gradient, float* target, bool accumulate, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int taps = 9 * x.Channels, columns = g.Channels, width = MicroKernel<V>.NR;
        var rows = stackalloc int[MicroKernel<V>.MR];
        var columnBlocks = (columns + width - 1) / width;
        var (start, end) = worker.Range((taps + MicroKernel<V>.MR - 1) / MicroKernel<V>.MR * columnBlocks);
        for (var block = start; block < end; block++)
        {
            int firstRow = block / columnBlocks * MicroKernel<V>.MR, column = block % columnBlocks * width;
            var count = Math.Min(MicroKernel<V>.MR, taps - firstRow);
            for (var r = 0; r < MicroKernel<V>.MR; r++)
                rows[r] = Conv3x3.Window(x, 0) + Conv3x3.Tap(x, firstRow + Math.Min(r, count - 1));
            MicroKernel<V>.OuterProducts(
                input, rows, x.RowStride, x.Channels, gradient + column, g.RowStride, g.Channels, g.Height, g.Width,
                target + firstRow * columns + column, columns, count, Math.Min(width, columns - column), accumulate);
        }
    }

    /// <summary>The bias's gradient, to the row behind the weights'; workers own columns.</summary>
    internal static unsafe void SumBias<V>(
        in SplitGradients target, in FeatureMap x, in FeatureMap g, in HostBuffers buffers, int images, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        var (start, end) = worker.Range(g.Channels);
        var bias = buffers.Arena + target.Offset + 9 * x.Channels * g.Channels;
        new Span<float>(bias + start, end - start).Clear();
        for (var pixel = 0; pixel < images * g.Height * g.Width && start < end; pixel++)
            Elementwise<V>.Add(buffers.Arena + g.AtPixel(pixel) + start, bias + start, end - start);
    }
}
