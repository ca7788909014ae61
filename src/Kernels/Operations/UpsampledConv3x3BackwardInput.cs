using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Products;
using AutoencoderGpu.Kernels.Threads;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>The gradient of an <see cref="UpsampledConv3x3"/>'s input, from that of z.</summary>
public struct UpsampledConv3x3BackwardInput : IOperation<UpsampledConv3x3BackwardInput>
{
    internal FeatureMap Input;
    internal FeatureMap Output;
    internal FeatureMap Saved;
    internal int TapStride;
    internal int Weights;
    internal Activation Derivative;

    /// <summary>The gradient of the input.</summary>
    /// <param name="productGradients">The first of nine maps (B, H, W, Cout), no border.</param>
    /// <param name="tapStride">Floats from one of the nine maps to the next, those of a whole mini-batch.</param>
    /// <param name="rotatedWeights">Arena offset of what <see cref="RotateWeights3x3"/> wrote, (3, 3, Cout, Cin), the last tap first.</param>
    /// <param name="inputGradient">(B, H, W, Cin); overwritten.</param>
    /// <param name="input">x as in the forward pass.</param>
    /// <param name="inputActivation">The activation that made x, by whose derivative the gradient is multiplied.</param>
    /// <exception cref="ArgumentException">The maps' shapes do not match.</exception>
    public static Instruction Of(
        FeatureMap productGradients, int tapStride, int rotatedWeights, FeatureMap inputGradient, FeatureMap input, Activation inputActivation)
    {
        UpsampledConv3x3.RequireSameSides(input, productGradients);
        Shapes.Require(input.HasShapeOf(inputGradient), "UpsampledConv3x3BackwardInput", "an input's gradient of the input's shape", input, inputGradient);
        return new Instruction<UpsampledConv3x3BackwardInput>(new()
        {
            Input = productGradients,
            TapStride = tapStride,
            Output = inputGradient,
            Saved = input,
            Weights = rotatedWeights,
            Derivative = inputActivation,
        });
    }

    static IReadOnlyList<IKernel<UpsampledConv3x3BackwardInput>> IOperation<UpsampledConv3x3BackwardInput>.Kernels { get; } =
        [TiledProduct.KernelOf<Product, UpsampledConv3x3BackwardInput>("UpsampledConv3x3BackwardInput")];

    static void IOperation<UpsampledConv3x3BackwardInput>.Visit(ref UpsampledConv3x3BackwardInput i, OperandVisitor operands)
    {
        operands.Visit(ref i.Input, Access.Read, Border.None, UpsampledConv3x3.Taps, i.TapStride);
        operands.Read(ref i.Saved);
        operands.Write(ref i.Output);
        operands.Read(ref i.Weights, 9 * i.Input.Channels * i.Output.Channels);
    }

    static Cost IOperation<UpsampledConv3x3BackwardInput>.Cost(in UpsampledConv3x3BackwardInput i, int batch) =>
        UpsampledConv3x3.ProductCost((long)batch * i.Input.Height * i.Input.Width, i.Output.Channels, i.Input.Channels);

    /// <summary>The packed weights of nine taps, and the sums of a tile at least.</summary>
    static long IOperation<UpsampledConv3x3BackwardInput>.ScratchLength<V>(in UpsampledConv3x3BackwardInput i)
    {
        int width = MicroKernel<V>.NR, stride = UpsampledConv3x3.Blocks(i.Output.Channels, width) * width;
        return UpsampledConv3x3.Taps * i.Input.Channels * (long)width + (long)MicroKernel<V>.MR * stride;
    }

    /// <summary>Rows are pixels, columns input channels, the depth runs over taps and output channels.</summary>
    internal readonly struct Product : ITiledProduct<UpsampledConv3x3BackwardInput>
    {
        public static bool LeftRunsAlongDepth => true;

        public static bool RightRunsAlongDepth => false;

        public static int Rows(in UpsampledConv3x3BackwardInput i, int batch) => batch * i.Output.Height * i.Output.Width;

        public static int Columns(in UpsampledConv3x3BackwardInput i) => i.Output.Channels;

        public static int Depth(in UpsampledConv3x3BackwardInput i, int batch) => UpsampledConv3x3.Taps * i.Input.Channels;

        public static int RowPlace(in UpsampledConv3x3BackwardInput i, int row) => row * i.Input.Channels;

        public static int ColumnPlace(in UpsampledConv3x3BackwardInput i, int column) => i.Weights + column;

        public static int LeftPlace(in UpsampledConv3x3BackwardInput i, int depth) => UpsampledConv3x3.Place(i.Input, i.TapStride, depth);

        public static int RightPlace(in UpsampledConv3x3BackwardInput i, int depth)
        {
            int tap = depth / i.Input.Channels, n = depth - tap * i.Input.Channels;
            return ((UpsampledConv3x3.Taps - 1 - tap) * i.Input.Channels + n) * i.Output.Channels;
        }

        public static float Left(in UpsampledConv3x3BackwardInput i, in Buffers buffers, int row, int depth) => buffers.Arena[row + depth];

        public static float Right(in UpsampledConv3x3BackwardInput i, in Buffers buffers, int depth, int column) => buffers.Arena[column + depth];

        public static int ResultPlace(in UpsampledConv3x3BackwardInput i, int row, int column, int split) =>
            i.Output.AtPixel(row) + column;

        public static float Result(in UpsampledConv3x3BackwardInput i, in Buffers buffers, in MiniBatch batch, int row, int column, float sum) =>
            i.Derivative == Activation.None
                ? sum
                : sum * Activations.Derivative(i.Derivative, buffers.Arena[i.Saved.AtPixelOf(i.Output, row) + column]);
    }

    /// <summary>Workers take pixels; a tile is six of them by two vectors of input channels, summed over taps and output channels.</summary>
    static unsafe void IOperation<UpsampledConv3x3BackwardInput>.Run<V>(in UpsampledConv3x3BackwardInput i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        int pixels = batch.Count * i.Input.Height * i.Input.Width, cin = i.Output.Channels, cout = i.Input.Channels;
        float* z = buffers.Arena + i.Input.Offset, lastTap = buffers.Arena + i.Weights + (UpsampledConv3x3.Taps - 1) * cin * cout;
        int width = MicroKernel<V>.NR, tileRows = MicroKernel<V>.MR, stride = UpsampledConv3x3.Blocks(cin, width) * width;
        float* panel = worker.Scratch, sums = panel + UpsampledConv3x3.Taps * cout * width;
        var stage = Math.Clamp((Worker.ScratchLength - UpsampledConv3x3.Taps * cout * width) / stride / tileRows, 1, UpsampledConv3x3.PixelBlock / tileRows) * tileRows;
        var rows = stackalloc int[tileRows];
        foreach (var (first, last) in worker.Tiles(pixels, tileRows, stage))
        {
            for (var c = 0; c < stride; c += width)
            {
                // The rotated weights have the last tap first. One channel's nine taps are one run of the depth, not nine.
                if (cout == 1)
                {
                    Panel<V>.Multiply(z + first, 1, i.TapStride, lastTap + c, -cin, UpsampledConv3x3.Taps, sums + c, stride, UpsampledConv3x3.Blocks(last - first, tileRows));
                    continue;
                }

                // Together, since in place their lines are a power of two apart and would not stay in the cache for a tile after another.
                for (var tap = 0; tap < UpsampledConv3x3.Taps; tap++)
                    Panel<V>.Pack(1f, lastTap - tap * cin * cout + c, cin, cout, panel + tap * cout * width);
                for (var pixel = first; pixel < last; pixel += tileRows)
                {
                    MicroKernel<V>.OuterProducts(
                        z + (nint)pixel * cout, UpsampledConv3x3.Rows<V>(rows, Math.Min(tileRows, last - pixel), cout), i.TapStride, 1,
                        panel, cout * width, width, UpsampledConv3x3.Taps, cout, sums + (pixel - first) * stride + c, stride);
                }
            }

            for (var pixel = first; pixel < last; pixel++)
            {
                Activations<V>.TimesDerivative(
                    i.Derivative, buffers.Arena + i.Saved.AtPixel(pixel), sums + (pixel - first) * stride,
                    buffers.Arena + i.Output.AtPixel(pixel), cin);
            }
        }
    }
}
