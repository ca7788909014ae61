namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// <see cref="Upsample2x"/> followed by <see cref="Conv3x3"/>, without the upsampled map. Upsampling mixes pixels and treats
/// channels alike, a tap of a convolution mixes channels and treats pixels alike, so the two commute:
/// y[b, p, q, n] = f(bias[n] + Σ_{r,s} (U z_{r,s})[b, p+r−1, q+s−1, n]), where z_{r,s}[b, i, j, n] = Σ_c x[b, i, j, c] · w[r, s, c, n]
/// and U upsamples, with zeros around. The sums over channels, which are nearly all of the work, run at a quarter of the pixels.
/// </summary>
/// <remarks>
/// x is (B, H, W, Cin), w (3, 3, Cin, Cout), y (B, 2H, 2W, Cout); z are nine maps (B, H, W, Cout), one a tap, at equal distances in the
/// arena. Forward is <see cref="Project"/>, a matrix product, and <see cref="Spread"/>, the
/// upsampling and the sum over taps. Backward, with g = ∂L/∂(pre-activation):
/// <list type="bullet">
/// <item><see cref="Collect"/>: ∂L/∂z_{r,s}[b, i, j, n] = Σ_{p,q} u(p+r−1, i) · u(q+s−1, j) · g[b, p, q, n].</item>
/// <item><see cref="BackwardWeights"/>: ∂L/∂w[r, s, c, n] = Σ_{b,i,j} x[b, i, j, c] · ∂L/∂z_{r,s}[b, i, j, n]. The bias's gradient is the sum
/// of ∂L/∂z_{1,1}, since an upsampled pixel's shares add up to 1.</item>
/// <item><see cref="BackwardInput"/>: ∂L/∂x[b, i, j, c] = f′(x) · Σ_{r,s,n} w[r, s, c, n] · ∂L/∂z_{r,s}[b, i, j, n].</item>
/// </list>
/// </remarks>
public static partial class UpsampledConv3x3
{
    private const int Taps = 9;

    /// <summary>z from x.</summary>
    /// <param name="input">x (B, H, W, Cin), no border.</param>
    /// <param name="weights">Arena offset of w (3, 3, Cin, Cout).</param>
    /// <param name="products">The first of z's nine maps (B, H, W, Cout), no border; all are overwritten.</param>
    /// <param name="tapStride">Floats from one of z's maps to the next.</param>
    public static Instruction Project(FeatureMap input, int weights, FeatureMap products, int tapStride)
    {
        RequireSameSides(input, products);
        return new()
        {
            Operation = Operation.UpsampledConvProject,
            Input = input,
            Output = products,
            TapStride = tapStride,
            Weights = weights,
        };
    }

    /// <summary>y from z.</summary>
    /// <param name="products">The first of z's nine maps (B, H, W, Cout).</param>
    /// <param name="tapStride">Floats from one of z's maps to the next.</param>
    /// <param name="bias">Arena offset of the bias (Cout).</param>
    /// <param name="output">y (B, 2H, 2W, Cout); overwritten.</param>
    /// <param name="activation">f.</param>
    /// <param name="interpolation">Bilinear or nearest.</param>
    public static Instruction Spread(
        FeatureMap products, int tapStride, int bias, FeatureMap output, Activation activation, Interpolation interpolation)
    {
        RequireDoubled(products, output);
        return new()
        {
            Operation = Operation.UpsampledConvSpread,
            Input = products,
            TapStride = tapStride,
            Output = output,
            Bias = bias,
            Activation = activation,
            Interpolation = interpolation,
        };
    }

    /// <summary>The gradient of z.</summary>
    /// <param name="outputGradient">g (B, 2H, 2W, Cout).</param>
    /// <param name="productGradients">The first of nine maps (B, H, W, Cout), no border; all are overwritten.</param>
    /// <param name="tapStride">Floats from one of the nine maps to the next.</param>
    /// <param name="interpolation">Bilinear or nearest.</param>
    public static Instruction Collect(
        FeatureMap outputGradient, FeatureMap productGradients, int tapStride, Interpolation interpolation)
    {
        RequireDoubled(productGradients, outputGradient);
        return new()
        {
            Operation = Operation.UpsampledConvCollect,
            Input = outputGradient,
            Output = productGradients,
            TapStride = tapStride,
            Interpolation = interpolation,
        };
    }

    /// <summary>The gradients of weights and bias.</summary>
    /// <param name="productGradients">The first of nine maps (B, H, W, Cout).</param>
    /// <param name="tapStride">Floats from one of the nine maps to the next.</param>
    /// <param name="input">x (B, H, W, Cin), no border.</param>
    /// <param name="gradients">Arena offset of (9·Cin + 1, Cout): the weights' gradient and then the bias's; overwritten.</param>
    /// <param name="splits">As in <see cref="Conv3x3.BackwardWeights"/>.</param>
    /// <param name="splitStride">Floats from one partial sum to the next.</param>
    public static Instruction BackwardWeights(
        FeatureMap productGradients, int tapStride, FeatureMap input, int gradients, int splits = 1, int splitStride = 0)
    {
        RequireSameSides(input, productGradients);
        return new()
        {
            Operation = Operation.UpsampledConvBackwardWeights,
            Input = productGradients,
            TapStride = tapStride,
            Saved = input,
            Gradients = gradients,
            Splits = splits,
            SplitStride = splitStride,
        };
    }

    /// <summary>The gradient of the input.</summary>
    /// <param name="productGradients">The first of nine maps (B, H, W, Cout).</param>
    /// <param name="tapStride">Floats from one of the nine maps to the next.</param>
    /// <param name="rotatedWeights">Arena offset of what <see cref="Conv3x3.Rotate"/> wrote, (3, 3, Cout, Cin), the last tap first.</param>
    /// <param name="inputGradient">(B, H, W, Cin); overwritten.</param>
    /// <param name="input">x as in the forward pass.</param>
    /// <param name="inputActivation">The activation that made x, by whose derivative the gradient is multiplied.</param>
    public static Instruction BackwardInput(
        FeatureMap productGradients,
        int tapStride,
        int rotatedWeights,
        FeatureMap inputGradient,
        FeatureMap input,
        Activation inputActivation)
    {
        RequireSameSides(input, productGradients);
        Shapes.Require(
            input.HasShapeOf(inputGradient), "UpsampledConv3x3", "an input's gradient of the input's shape", input, inputGradient);
        return new()
        {
            Operation = Operation.UpsampledConvBackwardInput,
            Input = productGradients,
            TapStride = tapStride,
            Output = inputGradient,
            Saved = input,
            Weights = rotatedWeights,
            Bias = -1,
            Derivative = inputActivation,
        };
    }

    /// <summary>
    /// <see cref="Project"/> and <see cref="BackwardInput"/>: nine products of a pixel's channels with (Cin, Cout), the maps on one
    /// side being nine.
    /// </summary>
    internal static Cost ProductCost(in Instruction i, int batch)
    {
        long pixels = (long)batch * i.Input.Height * i.Input.Width, cin = i.Input.Channels, cout = i.Output.Channels;
        var (one, nine) = i.Operation == Operation.UpsampledConvProject ? (cin, cout) : (cout, cin);
        return new(2 * Taps * pixels * cin * cout, 4 * (pixels * (one + Taps * nine) + Taps * cin * cout));
    }

    internal static Cost BackwardWeightsCost(in Instruction i, int batch)
    {
        long pixels = (long)batch * i.Input.Height * i.Input.Width, cin = i.Saved.Channels, cout = i.Input.Channels;
        return new(2 * pixels * (Taps * cin + 1) * cout, 4 * (pixels * (cin + Taps * cout) + (Taps * cin + 1) * cout * i.Splits));
    }

    /// <summary>Along the columns of 2H rows and then along their rows, up to six shares each.</summary>
    internal static Cost SpreadCost(in Instruction i, int batch) =>
        new(12L * batch * (3 * i.Input.Size * 2 + i.Output.Size), 4L * batch * (Taps * i.Input.Size + i.Output.Size));

    /// <summary>Down the rows for each of 3·H and then along them, up to four shares each.</summary>
    internal static Cost CollectCost(in Instruction i, int batch) =>
        new(8L * batch * (3 * i.Input.Size / 2 + Taps * i.Output.Size), 4L * batch * (i.Input.Size + Taps * i.Output.Size));

    private static void RequireSameSides(FeatureMap input, FeatureMap products) => Shapes.Require(
        input.Border == 0 && products.Border == 0 && input.Height == products.Height && input.Width == products.Width,
        "UpsampledConv3x3", "an input and products of the same height and width without a border", input, products);

    private static void RequireDoubled(FeatureMap products, FeatureMap output) => Shapes.Require(
        products.Border == 0 && output.Height == 2 * products.Height && output.Width == 2 * products.Width && output.Channels == products.Channels,
        "UpsampledConv3x3", "products without a border and an output of twice their height and width", products, output);
}
