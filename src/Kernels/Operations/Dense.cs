namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// A fully connected layer: y[b, n] = f(Σₖ x[b, k] · w[n, k] + bias[n]), with x (B, K), y (B, N) and PyTorch's layout of weights,
/// w (N, K). Backward, with g = ∂L/∂(pre-activation) of shape (B, N):
/// ∂L/∂x[b, k] = f′ₓ(x[b, k]) · Σₙ g[b, n] · w[n, k], where f′ₓ is the derivative of the activation that made x; and at once,
/// since nothing else needs the gradient of w: w[n, k] −= rate · Σ_b g[b, n] · x[b, k], bias[n] −= rate · Σ_b g[b, n].
/// </summary>
public static partial class Dense
{
    /// <summary>The forward pass.</summary>
    /// <param name="input">(B, K), without border; any spatial shape is taken as flat.</param>
    /// <param name="weights">Arena offset of w (N, K).</param>
    /// <param name="bias">Arena offset of the bias (N).</param>
    /// <param name="output">(B, N), without border; overwritten.</param>
    /// <param name="activation">f.</param>
    public static Instruction Forward(FeatureMap input, int weights, int bias, FeatureMap output, Activation activation)
    {
        Shapes.Require(input.Border == 0 && output.Border == 0, "Dense", "maps without border", input, output);
        return new()
        {
            Operation = Operation.DenseForward,
            Input = input,
            Output = output,
            Weights = weights,
            Bias = bias,
            Activation = activation,
        };
    }

    /// <summary>The backward pass with the SGD update.</summary>
    /// <param name="outputGradient">g (B, N), already multiplied by the derivative of this layer's own activation.</param>
    /// <param name="input">x (B, K) as in the forward pass.</param>
    /// <param name="weights">Arena offset of w (N, K); updated.</param>
    /// <param name="bias">Arena offset of the bias (N); updated.</param>
    /// <param name="inputGradient">(B, K); overwritten. <c>default</c> for a first layer, which needs none.</param>
    /// <param name="inputActivation">The activation that made x.</param>
    public static Instruction Backward(
        FeatureMap outputGradient, FeatureMap input, int weights, int bias, FeatureMap inputGradient, Activation inputActivation)
    {
        Shapes.Require(outputGradient.Border == 0 && input.Border == 0, "Dense", "maps without border", outputGradient, input);
        Shapes.Require(
            inputGradient.IsNone || (inputGradient.Size == input.Size && inputGradient.Border == 0),
            "Dense", "an input's gradient of the input's size", input, inputGradient);
        return new()
        {
            Operation = Operation.DenseBackward,
            Input = outputGradient,
            Output = inputGradient,
            Saved = input,
            Weights = weights,
            Bias = bias,
            Derivative = inputActivation,
        };
    }

    internal static Cost ForwardCost(in Instruction i, int batch)
    {
        long k = i.Input.Size, n = i.Output.Size;
        return new(2 * batch * n * k, 4 * (n * k + n + batch * (n + k)));
    }

    internal static Cost BackwardCost(in Instruction i, int batch)
    {
        long k = i.Saved.Size, n = i.Input.Size;
        var update = new Cost(2 * batch * n * k, 4 * (2 * n * (k + 1) + batch * (n + k)));
        return i.Output.IsNone ? update : update + new Cost(2 * batch * n * k, 4 * batch * k);
    }
}
