using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Products;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>The first step of an <see cref="UpsampledConv3x3"/>: z from x.</summary>
public struct UpsampledConv3x3Project : IOperation<UpsampledConv3x3Project>
{
    internal FeatureMap Input;
    internal FeatureMap Output;
    internal int TapStride;
    internal int Weights;

    /// <summary>z from x.</summary>
    /// <param name="input">x (B, H, W, Cin), no border.</param>
    /// <param name="weights">Arena offset of w (3, 3, Cin, Cout).</param>
    /// <param name="products">The first of z's nine maps (B, H, W, Cout), no border; all are overwritten.</param>
    /// <param name="tapStride">Floats from one of z's maps to the next, those of a whole mini-batch.</param>
    /// <exception cref="ArgumentException">The maps' shapes do not match.</exception>
    public static Instruction Of(FeatureMap input, int weights, FeatureMap products, int tapStride)
    {
        UpsampledConv3x3.RequireSameSides(input, products);
        return new Instruction<UpsampledConv3x3Project>(new() { Input = input, Output = products, TapStride = tapStride, Weights = weights });
    }

    static IReadOnlyList<IKernel<UpsampledConv3x3Project>> IOperation<UpsampledConv3x3Project>.Kernels { get; } = [TiledProduct.KernelOf<Product, UpsampledConv3x3Project>("UpsampledConv3x3Project")];

    static void IOperation<UpsampledConv3x3Project>.Visit(ref UpsampledConv3x3Project i, OperandVisitor operands)
    {
        operands.Read(ref i.Input, Border.None);
        operands.Visit(ref i.Output, Access.Write, Border.None, UpsampledConv3x3.Taps, i.TapStride);
        operands.Read(ref i.Weights, 9 * i.Input.Channels * i.Output.Channels);
    }

    static Cost IOperation<UpsampledConv3x3Project>.Cost(in UpsampledConv3x3Project i, int batch) =>
        UpsampledConv3x3.ProductCost((long)batch * i.Input.Height * i.Input.Width, i.Input.Channels, i.Output.Channels);

    /// <summary>With one output channel, the transposed weights and a tile.</summary>
    static long IOperation<UpsampledConv3x3Project>.ScratchLength<V>(in UpsampledConv3x3Project i) => (i.Input.Channels + MicroKernel<V>.MR) * (long)Columns<V>();

    /// <summary>Rows are pixels, columns taps and output channels, the depth runs over input channels.</summary>
    internal readonly struct Product : ITiledProduct<UpsampledConv3x3Project>
    {
        public static bool LeftRunsAlongDepth => true;

        public static bool RightRunsAlongDepth => false;

        public static int Rows(in UpsampledConv3x3Project i, int batch) => batch * i.Input.Height * i.Input.Width;

        public static int Columns(in UpsampledConv3x3Project i) => UpsampledConv3x3.Taps * i.Output.Channels;

        public static int Depth(in UpsampledConv3x3Project i, int batch) => i.Input.Channels;

        public static int RowPlace(in UpsampledConv3x3Project i, int row) => i.Input.Offset + row * i.Input.Channels;

        public static int ColumnPlace(in UpsampledConv3x3Project i, int column)
        {
            var tap = column / i.Output.Channels;
            return i.Weights + tap * (i.Input.Channels - 1) * i.Output.Channels + column;
        }

        public static int LeftPlace(in UpsampledConv3x3Project i, int depth) => depth;

        public static int RightPlace(in UpsampledConv3x3Project i, int depth) => depth * i.Output.Channels;

        public static float Left(in UpsampledConv3x3Project i, in Buffers buffers, int row, int depth) => buffers.Arena[row + depth];

        public static float Right(in UpsampledConv3x3Project i, in Buffers buffers, int depth, int column) => buffers.Arena[column + depth];

        public static int ResultPlace(in UpsampledConv3x3Project i, int row, int column, int split) =>
            UpsampledConv3x3.Place(i.Output, i.TapStride, column) + row * i.Output.Channels;

        public static float Result(in UpsampledConv3x3Project i, in Buffers buffers, in MiniBatch batch, int row, int column, float sum) => sum;
    }

    /// <summary>Workers take pixels; a tile is six of them by two vectors of a tap's output channels.</summary>
    static unsafe void IOperation<UpsampledConv3x3Project>.Run<V>(in UpsampledConv3x3Project i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        int pixels = batch.Count * i.Input.Height * i.Input.Width, cin = i.Input.Channels, cout = i.Output.Channels;
        float* x = buffers.Arena + i.Input.Offset, z = buffers.Arena + i.Output.Offset, w = buffers.Arena + i.Weights;
        if (cout == 1)
        {
            ProjectOneChannel<V>(i, x, w, z, pixels, worker);
            return;
        }

        foreach (var (start, end) in worker.Tiles(pixels, MicroKernel<V>.MR, UpsampledConv3x3.PixelBlock))
        {
            for (var tap = 0; tap < UpsampledConv3x3.Taps; tap++)
            {
                for (var n = 0; n < cout; n += MicroKernel<V>.NR)
                {
                    Panel<V>.Multiply(
                        x + (nint)start * cin, cin, 1, w + tap * cin * cout + n, cout, cin,
                        z + (nint)tap * i.TapStride + (nint)start * cout + n, cout, end - start, Math.Min(MicroKernel<V>.NR, cout - n), accumulate: false);
                }
            }
        }
    }

    /// <summary>With one output channel, nine taps are the columns, as w transposed would have them.</summary>
    private static unsafe void ProjectOneChannel<V>(in UpsampledConv3x3Project i, float* x, float* w, float* z, int pixels, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int cin = i.Input.Channels, columns = Columns<V>();
        float* transposed = worker.Scratch, tile = transposed + cin * columns;
        for (var k = 0; k < cin * UpsampledConv3x3.Taps; k++)
            transposed[k % cin * columns + k / cin] = w[k];
        var rows = stackalloc int[MicroKernel<V>.MR];
        foreach (var (pixel, last) in worker.Tiles(pixels, MicroKernel<V>.MR, MicroKernel<V>.MR))
        {
            var count = last - pixel;
            for (var n = 0; n < columns; n += MicroKernel<V>.NR)
                MicroKernel<V>.OuterProducts(x + (nint)pixel * cin, UpsampledConv3x3.Rows<V>(rows, count, cin), 0, 1, transposed + n, 0, columns, 1, cin, tile + n, columns);
            for (var tap = 0; tap < UpsampledConv3x3.Taps; tap++)
            {
                for (var r = 0; r < count; r++)
                    z[(nint)tap * i.TapStride + pixel + r] = tile[r * columns + tap];
            }
        }
    }

    /// <summary>Nine columns in whole tiles.</summary>
    private static int Columns<V>()
        where V : unmanaged, ISimd<V> => UpsampledConv3x3.Blocks(UpsampledConv3x3.Taps, MicroKernel<V>.NR) * MicroKernel<V>.NR;
}
