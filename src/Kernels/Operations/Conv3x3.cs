using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Products;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// A 3×3 convolution with stride 1 and zero padding 1, channels last:
/// y[b, p, q, n] = f(bias[n] + Σ_{r,s,c} x[b, p+r−1, q+s−1, c] · w[r, s, c, n]), with x (B, H, W, Cin), y (B, H, W, Cout) and
/// w (3, 3, Cin, Cout). The map that is read has a border of zeros, so no kernel asks where an image ends, and the three taps of a
/// window's row are 3·Cin contiguous floats in the map and in the weights.
/// </summary>
/// <remarks>
/// With g = ∂L/∂(pre-activation), (B, H, W, Cout), ∂L/∂x is again such a convolution: of g with the weights rotated by 180° and Cin and Cout
/// exchanged, as <see cref="RotateWeights3x3"/> writes them, and times the derivative of the activation that made x.
/// </remarks>
public partial struct Conv3x3 : IOperation<Conv3x3>
{
    private const int NoBias = -1;

    internal FeatureMap Input;
    internal FeatureMap Output;
    internal FeatureMap Saved;
    internal int Weights;
    internal int Bias;
    internal Activation Activation;
    internal Activation Derivative;

    /// <summary>The forward pass.</summary>
    /// <param name="input">x (B, H, W, Cin), border 1.</param>
    /// <param name="weights">Arena offset of w (3, 3, Cin, Cout).</param>
    /// <param name="bias">Arena offset of the bias (Cout).</param>
    /// <param name="output">y (B, H, W, Cout); overwritten.</param>
    /// <param name="activation">f.</param>
    /// <exception cref="ArgumentException">The maps' shapes do not match.</exception>
    public static Instruction Forward(FeatureMap input, int weights, int bias, FeatureMap output, Activation activation)
    {
        RequireShapes(input, output);
        ArgumentOutOfRangeException.ThrowIfNegative(bias);
        return new Instruction<Conv3x3>(
            new() { Input = input, Output = output, Weights = weights, Bias = bias, Activation = activation });
    }

    /// <summary>The gradient of the input.</summary>
    /// <param name="outputGradient">g (B, H, W, Cout), border 1.</param>
    /// <param name="rotatedWeights">Arena offset of what <see cref="RotateWeights3x3"/> wrote, (3, 3, Cout, Cin).</param>
    /// <param name="inputGradient">(B, H, W, Cin); overwritten.</param>
    /// <param name="input">x as in the forward pass.</param>
    /// <param name="inputActivation">The activation that made x.</param>
    /// <exception cref="ArgumentException">The maps' shapes do not match.</exception>
    public static Instruction BackwardInput(
        FeatureMap outputGradient, int rotatedWeights, FeatureMap inputGradient, FeatureMap input, Activation inputActivation)
    {
        RequireShapes(outputGradient, inputGradient);
        Shapes.Require(input.HasShapeOf(inputGradient), "Conv3x3", "an input's gradient of the input's shape", input, inputGradient);
        return new Instruction<Conv3x3>(new()
        {
            Input = outputGradient,
            Output = inputGradient,
            Saved = input,
            Weights = rotatedWeights,
            Bias = NoBias,
            Derivative = inputActivation,
        });
    }

    static IReadOnlyList<IKernel<Conv3x3>> IOperation<Conv3x3>.Kernels { get; } = [TiledProduct.KernelOf<Product, Conv3x3>("Conv3x3")];

    static void IOperation<Conv3x3>.Visit(ref Conv3x3 i, OperandVisitor operands)
    {
        operands.Read(ref i.Input, Border.Zeros);
        operands.Write(ref i.Output);
        operands.Read(ref i.Saved);
        operands.Read(ref i.Weights, 9 * i.Input.Channels * i.Output.Channels);
        if (i.Bias != NoBias)
            operands.Read(ref i.Bias, i.Output.Channels);
    }

    static Cost IOperation<Conv3x3>.Cost(in Conv3x3 i, int batch)
    {
        long pixels = (long)batch * i.Output.Height * i.Output.Width, cin = i.Input.Channels, cout = i.Output.Channels;
        return new(2 * pixels * 9 * cin * cout, 4 * (pixels * (cin + cout) + 9 * cin * cout));
    }

    internal static void RequireShapes(FeatureMap input, FeatureMap output) => Shapes.Require(
        input.Height == output.Height && input.Width == output.Width,
        "Conv3x3", "an input and an output of the same height and width", input, output);

    /// <summary>Rows are pixels, columns output channels, the depth runs over window and input channels.</summary>
    internal readonly struct Product : ITiledProduct<Conv3x3>
    {
        public static bool LeftRunsAlongDepth => true;

        public static bool RightRunsAlongDepth => false;

        public static int Rows(in Conv3x3 i, int batch) => batch * i.Output.Height * i.Output.Width;

        public static int Columns(in Conv3x3 i) => i.Output.Channels;

        public static int Depth(in Conv3x3 i, int batch) => 9 * i.Input.Channels;

        public static int RowPlace(in Conv3x3 i, int row) => Window(i.Input, i.Input.AtPixel(row));

        public static int ColumnPlace(in Conv3x3 i, int column) => i.Weights + column;

        public static int LeftPlace(in Conv3x3 i, int depth) => Tap(i.Input, depth);

        public static int RightPlace(in Conv3x3 i, int depth) => depth * i.Output.Channels;

        public static float Left(in Conv3x3 i, in Buffers buffers, int row, int depth) => buffers.Arena[row + depth];

        public static float Right(in Conv3x3 i, in Buffers buffers, int depth, int column) => buffers.Arena[column + depth];

        public static int ResultPlace(in Conv3x3 i, int row, int column, int split) => i.Output.AtPixel(row) + column;

        public static float Result(in Conv3x3 i, in Buffers buffers, in MiniBatch batch, int row, int column, float sum)
        {
            if (i.Bias >= 0)
                sum += buffers.Arena[i.Bias + column];
            sum = Activations.Apply(i.Activation, sum);
            if (i.Derivative != Activation.None)
                sum *= Activations.Derivative(i.Derivative, buffers.Arena[i.Saved.AtPixelOf(i.Output, row) + column]);
            return sum;
        }
    }

    /// <summary>Arena index of the first input of a pixel's window, from that of the pixel.</summary>
    internal static int Window(in FeatureMap map, int pixel) => pixel - map.RowStride - map.Channels;

    /// <summary>From the first input of a window to another; <paramref name="depth"/> counts (3, 3, C), row-major.</summary>
    internal static int Tap(in FeatureMap map, int depth) =>
        depth + depth / (3 * map.Channels) * (map.RowStride - 3 * map.Channels);
}
