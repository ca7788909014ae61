namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// A <see cref="Conv3x3"/> followed by a <see cref="MaxPool2x2"/>, without the map between them, which is four times as large as what
/// is left of it: y[b, p, q, n] = f(max over r, s of z[b, 2p+r, 2q+s, n]), where z (B, H, W, Cout) are the convolution's sums. f
/// grows, so the largest sum makes the largest activation, and the derivative of f at y is all that the gradient of z needs of it.
/// </summary>
/// <remarks>
/// What is kept beside y is which of its window's sums was the largest, as in <see cref="MaxPool2x2"/>. The first convolution of a
/// network needs no gradient of its input, and that of its weights is summed from the winners' pixels, so no gradient of z is ever
/// stored either. Where the gradient of the input is wanted, <see cref="MaxPool2x2.Backward"/> makes that of z.
/// </remarks>
public static partial class PooledConv3x3
{
    /// <summary>The forward pass.</summary>
    /// <param name="input">x (B, H, W, Cin), border 1.</param>
    /// <param name="weights">Arena offset of w (3, 3, Cin, Cout).</param>
    /// <param name="bias">Arena offset of the bias (Cout).</param>
    /// <param name="output">y (B, ⌊H/2⌋, ⌊W/2⌋, Cout); overwritten.</param>
    /// <param name="winners">(B, ⌊H/2⌋, ⌊W/2⌋, Cout), as in <see cref="MaxPool2x2.Forward"/>; overwritten.</param>
    /// <param name="activation">f.</param>
    /// <exception cref="ArgumentException">The maps' shapes do not match.</exception>
    public static Instruction Forward(
        FeatureMap input, int weights, int bias, FeatureMap output, FeatureMap winners, Activation activation)
    {
        RequireShapes(input, output, winners);
        return new()
        {
            Operation = Operation.PooledConv3x3,
            Input = input,
            Output = output,
            Winners = winners,
            Weights = weights,
            Bias = bias,
            Activation = activation,
        };
    }

    /// <summary>The gradients of weights and bias.</summary>
    /// <param name="outputGradient">∂L/∂y times the derivative of f at y, (B, ⌊H/2⌋, ⌊W/2⌋, Cout).</param>
    /// <param name="winners">As written by the forward pass.</param>
    /// <param name="input">x (B, H, W, Cin), border 1.</param>
    /// <param name="gradients">Arena offset of (9·Cin + 1, Cout): the weights' gradient and then the bias's; overwritten.</param>
    /// <param name="splits">As in <see cref="Conv3x3.BackwardWeights"/>.</param>
    /// <param name="splitStride">Floats from one partial sum to the next.</param>
    /// <exception cref="ArgumentException">The maps' shapes do not match.</exception>
    public static Instruction BackwardWeights(
        FeatureMap outputGradient, FeatureMap winners, FeatureMap input, int gradients, int splits = 1, int splitStride = 0)
    {
        RequireShapes(input, outputGradient, winners);
        return new()
        {
            Operation = Operation.PooledConv3x3BackwardWeights,
            Input = outputGradient,
            Winners = winners,
            Saved = input,
            Gradients = gradients,
            Splits = splits,
            SplitStride = splitStride,
        };
    }

    internal static Cost Cost(in Instruction i, int batch)
    {
        long windows = (long)batch * i.Output.Height * i.Output.Width, cin = i.Input.Channels, cout = i.Output.Channels;
        return new((8 * 9 * cin + 3) * windows * cout, 4 * (batch * (long)i.Input.Size + 2 * windows * cout + 9 * cin * cout));
    }

    internal static Cost BackwardWeightsCost(in Instruction i, int batch)
    {
        long windows = (long)batch * i.Input.Height * i.Input.Width, cin = i.Saved.Channels, cout = i.Input.Channels;
        return new(
            (8 * 9 * cin + 1) * windows * cout,
            4 * (batch * (long)i.Saved.Size + 2 * windows * cout + (9 * cin + 1) * cout * i.Splits));
    }

    private static void RequireShapes(FeatureMap input, FeatureMap output, FeatureMap winners)
    {
        MaxPool2x2.RequireShapes(input with { Channels = output.Channels }, output, winners);
        Shapes.Require(input.Border == 1, "PooledConv3x3", "an input with a border", input);
    }
}
