using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Products;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// A <see cref="Conv3x3"/> followed by a <see cref="MaxPool2x2"/>, without the map between them, which is four times as large as what
/// is left of it: y[b, p, q, n] = f(max over r, s of z[b, 2p+r, 2q+s, n]), where z (B, H, W, Cout) are the convolution's sums. f does not
/// decrease, so the largest sum makes the largest activation, and the derivative of f at y is all that the gradient of z needs of it.
/// </summary>
/// <remarks>
/// What is kept beside y is which of its window's sums was the largest, as in <see cref="MaxPool2x2"/>. The first convolution of a
/// network needs no gradient of its input, and <see cref="PooledConv3x3BackwardWeights"/> sums that of its weights from the maxima's pixels,
/// so no gradient of z is ever stored either. Where the gradient of the input is wanted, <see cref="MaxPool2x2Backward"/> makes that of z.
/// </remarks>
public partial struct PooledConv3x3 : IOperation<PooledConv3x3>
{
    internal FeatureMap Input;
    internal FeatureMap Output;
    internal FeatureMap Argmax;
    internal int Weights;
    internal int Bias;
    internal Activation Activation;

    /// <summary>The forward pass.</summary>
    /// <param name="input">x (B, H, W, Cin), border 1.</param>
    /// <param name="weights">Arena offset of w (3, 3, Cin, Cout).</param>
    /// <param name="bias">Arena offset of the bias (Cout).</param>
    /// <param name="output">y (B, ⌊H/2⌋, ⌊W/2⌋, Cout); overwritten.</param>
    /// <param name="argmax">(B, ⌊H/2⌋, ⌊W/2⌋, Cout), as in <see cref="MaxPool2x2.Of"/>; overwritten.</param>
    /// <param name="activation">f.</param>
    /// <exception cref="ArgumentException">The maps' shapes do not match.</exception>
    public static Instruction Of(FeatureMap input, int weights, int bias, FeatureMap output, FeatureMap argmax, Activation activation)
    {
        RequireShapes(input, output, argmax);
        return new Instruction<PooledConv3x3>(new()
        {
            Input = input,
            Output = output,
            Argmax = argmax,
            Weights = weights,
            Bias = bias,
            Activation = activation,
        });
    }

    static IReadOnlyList<IKernel<PooledConv3x3>> IOperation<PooledConv3x3>.Kernels { get; } =
    [
        new PortableKernel<PooledConv3x3>(
            "PooledConv3x3", Kernel, TiledProduct.GroupSize, (in i, batch) => TiledProduct.GridOf<Factors, PooledConv3x3>(i, batch)),
    ];

    static void IOperation<PooledConv3x3>.Visit(ref PooledConv3x3 i, OperandVisitor operands)
    {
        operands.Read(ref i.Input, Border.Zeros);
        operands.Write(ref i.Output);
        operands.Write(ref i.Argmax);
        operands.Read(ref i.Weights, 9 * i.Input.Channels * i.Output.Channels);
        operands.Read(ref i.Bias, i.Output.Channels);
    }

    static Cost IOperation<PooledConv3x3>.Cost(in PooledConv3x3 i, int batch)
    {
        long windows = (long)batch * i.Output.Height * i.Output.Width, cin = i.Input.Channels, cout = i.Output.Channels;
        return new((8 * 9 * cin + 3) * windows * cout, 4 * (batch * (long)i.Input.Size + 2 * windows * cout + 9 * cin * cout));
    }

    internal static void RequireShapes(FeatureMap input, FeatureMap output, FeatureMap argmax) =>
        MaxPool2x2.RequireShapes(input with { Channels = output.Channels }, output, argmax);

    /// <summary>As in <see cref="Conv3x3"/>, but rows are the pixels of a window, then of the next one: a thread's four results are one window.</summary>
    internal readonly struct Factors : ITiledFactors<PooledConv3x3>
    {
        public static bool LeftRunsAlongDepth => true;

        public static bool RightRunsAlongDepth => false;

        public static int Rows(in PooledConv3x3 i, int batch) => 4 * batch * i.Output.Height * i.Output.Width;

        public static int Columns(in PooledConv3x3 i) => i.Output.Channels;

        public static int Depth(in PooledConv3x3 i, int batch) => 9 * i.Input.Channels;

        public static int RowPlace(in PooledConv3x3 i, int row) => Conv3x3.Window(i.Input, Pixel(i.Input, i.Output, row));

        public static int ColumnPlace(in PooledConv3x3 i, int column) => i.Weights + column;

        public static int LeftPlace(in PooledConv3x3 i, int depth) => Conv3x3.Tap(i.Input, depth);

        public static int RightPlace(in PooledConv3x3 i, int depth) => depth * i.Output.Channels;

        public static float Left(in PooledConv3x3 i, in Buffers buffers, int row, int depth) => buffers.Arena[row + depth];

        public static float Right(in PooledConv3x3 i, in Buffers buffers, int depth, int column) => buffers.Arena[column + depth];
    }

    internal static void Kernel(PooledConv3x3 i, Buffers buffers, MiniBatch batch)
    {
        var sums = TiledProduct.Multiply<Factors, PooledConv3x3>(i, buffers, batch);
        if (sums.Row >= Factors.Rows(i, batch.Count) || sums.Column >= i.Output.Channels)
            return;
        var window = sums.Row / 4;
        var sum = MaxPool2x2.Max(sums.X, sums.Y, sums.Z, sums.W) + buffers.Arena[i.Bias + sums.Column];
        buffers.Arena[i.Output.AtPixel(window) + sums.Column] = Activations.Apply(i.Activation, sum);
        buffers.Arena[i.Argmax.AtPixelOf(i.Output, window) + sums.Column] = MaxPool2x2.ArgmaxOf(sums.X, sums.Y, sums.Z, sums.W);
    }

    /// <summary>Arena index of a pixel, counted over windows and, row by row, within them.</summary>
    private static int Pixel(in FeatureMap map, in FeatureMap pooled, int index)
    {
        int window = index / 4, position = index - 4 * window;
        return MaxPool2x2.Window(map, pooled, window) + (position >> 1) * map.RowStride + (position & 1) * map.Channels;
    }
}
