namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// A 3×3 convolution with stride 1 and zero padding 1, channels last:
/// y[b, p, q, n] = f(bias[n] + Σ_{r,s,c} x[b, p+r−1, q+s−1, c] · w[r, s, c, n]), with x (B, H, W, Cin), y (B, H, W, Cout) and
/// w (3, 3, Cin, Cout), followed in the arena by the bias (Cout). The map that is read has a border of zeros, so no kernel asks
/// where an image ends, and the three taps of a window's row are 3·Cin contiguous floats in the map and in the weights.
/// </summary>
/// <remarks>
/// With g = ∂L/∂(pre-activation), (B, H, W, Cout):
/// <list type="bullet">
/// <item>∂L/∂x is again such a convolution: of g with the weights rotated by 180° and Cin and Cout exchanged. So
/// <see cref="BackwardInput"/> is the forward operation on weights that <see cref="Rotate"/> has prepared.</item>
/// <item>∂L/∂w[r, s, c, n] = Σ_{b,p,q} x[b, p+r−1, q+s−1, c] · g[b, p, q, n], ∂L/∂bias[n] = Σ_{b,p,q} g[b, p, q, n]: the bias
/// is one more row of the (9·Cin + 1, Cout) matrix, that of an input which is always 1.</item>
/// </list>
/// <see cref="Sgd"/> applies the gradients: their norm must be known before the first is applied when it is clipped.
/// </remarks>
public static partial class Conv3x3
{
    /// <summary>The forward pass.</summary>
    /// <param name="input">x (B, H, W, Cin), border 1.</param>
    /// <param name="weights">Arena offset of w (3, 3, Cin, Cout).</param>
    /// <param name="bias">Arena offset of the bias (Cout).</param>
    /// <param name="output">y (B, H, W, Cout); overwritten.</param>
    /// <param name="activation">f.</param>
    public static Instruction Forward(FeatureMap input, int weights, int bias, FeatureMap output, Activation activation)
    {
        RequireShapes(input, output);
        return new()
        {
            Operation = Operation.Conv3x3,
            Input = input,
            Output = output,
            Weights = weights,
            Bias = bias,
            Activation = activation,
        };
    }

    /// <summary>The gradient of the input.</summary>
    /// <param name="outputGradient">g (B, H, W, Cout), border 1.</param>
    /// <param name="rotatedWeights">Arena offset of what <see cref="Rotate"/> wrote, (3, 3, Cout, Cin).</param>
    /// <param name="inputGradient">(B, H, W, Cin); overwritten.</param>
    /// <param name="input">x as in the forward pass.</param>
    /// <param name="inputActivation">The activation that made x, by whose derivative the gradient is multiplied.</param>
    public static Instruction BackwardInput(
        FeatureMap outputGradient, int rotatedWeights, FeatureMap inputGradient, FeatureMap input, Activation inputActivation)
    {
        RequireShapes(outputGradient, inputGradient);
        Shapes.Require(input.HasShapeOf(inputGradient), "Conv3x3", "an input's gradient of the input's shape", input, inputGradient);
        return new()
        {
            Operation = Operation.Conv3x3,
            Input = outputGradient,
            Output = inputGradient,
            Saved = input,
            Weights = rotatedWeights,
            Bias = -1,
            Derivative = inputActivation,
        };
    }

    /// <summary>w (3, 3, Cin, Cout) to rotated[r, s, n, c] = w[2−r, 2−s, c, n], (3, 3, Cout, Cin).</summary>
    /// <param name="weights">Arena offset of w.</param>
    /// <param name="rotatedWeights">Arena offset of the result; overwritten.</param>
    /// <param name="inputChannels">Cin.</param>
    /// <param name="outputChannels">Cout.</param>
    public static Instruction Rotate(int weights, int rotatedWeights, int inputChannels, int outputChannels) => new()
    {
        Operation = Operation.Conv3x3Rotate,
        Input = FeatureMap.Flat(weights, inputChannels),
        Output = FeatureMap.Flat(rotatedWeights, outputChannels),
    };

    /// <summary>The gradients of weights and bias.</summary>
    /// <param name="outputGradient">g (B, H, W, Cout).</param>
    /// <param name="input">x (B, H, W, Cin), border 1.</param>
    /// <param name="gradients">Arena offset of (9·Cin + 1, Cout): the weights' gradient and then the bias's; overwritten.</param>
    /// <param name="splits">
    /// Into how many partial sums the images and pixels are split, so that many groups of a GPU work at once; 1 on a CPU.
    /// </param>
    /// <param name="splitStride">Floats from one partial sum to the next.</param>
    public static Instruction BackwardWeights(
        FeatureMap outputGradient, FeatureMap input, int gradients, int splits = 1, int splitStride = 0)
    {
        RequireShapes(input, outputGradient);
        return new()
        {
            Operation = Operation.Conv3x3BackwardWeights,
            Input = outputGradient,
            Saved = input,
            Gradients = gradients,
            Splits = splits,
            SplitStride = splitStride,
        };
    }

    internal static Cost Cost(in Instruction i, int batch)
    {
        long pixels = (long)batch * i.Output.Height * i.Output.Width, cin = i.Input.Channels, cout = i.Output.Channels;
        return new(2 * pixels * 9 * cin * cout, 4 * (pixels * (cin + cout) + 9 * cin * cout));
    }

    internal static Cost RotateCost(in Instruction i, int batch) => new(0, 8L * 9 * i.Input.Channels * i.Output.Channels);

    internal static Cost BackwardWeightsCost(in Instruction i, int batch)
    {
        long pixels = (long)batch * i.Input.Height * i.Input.Width, cin = i.Saved.Channels, cout = i.Input.Channels;
        return new(2 * pixels * (9 * cin + 1) * cout, 4 * (pixels * (cin + cout) + (9 * cin + 1) * cout * i.Splits));
    }

    private static void RequireShapes(FeatureMap input, FeatureMap output) => Shapes.Require(
        input.Border == 1 && input.Height == output.Height && input.Width == output.Width,
        "Conv3x3", "an input with a border and an output of the same height and width", input, output);
}
