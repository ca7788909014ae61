using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Products;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// <see cref="DenseBackwardInput"/>, <see cref="DenseBackwardWeights"/> and <see cref="Sgd"/> at once, where nothing else needs the gradient
/// of w: with g = ∂L/∂(pre-activation) (B, N), ∂L/∂x[b, k] = f′(x[b, k]) · Σₙ g[b, n] · w[n, k], and then
/// w[n, k] −= rate · Σ_b g[b, n] · x[b, k], bias[n] −= rate · Σ_b g[b, n]. Weights are read and written once.
/// </summary>
public partial struct DenseBackwardUpdate : IOperation<DenseBackwardUpdate>
{
    internal FeatureMap OutputGradient;
    internal FeatureMap Saved;
    internal FeatureMap InputGradient;
    internal int Weights;
    internal int Bias;
    internal Activation Derivative;

    /// <summary>The backward pass with the SGD update.</summary>
    /// <param name="outputGradient">g (B, N), without border.</param>
    /// <param name="input">x (B, K) as in the forward pass, without border.</param>
    /// <param name="weights">Arena offset of w (N, K); updated.</param>
    /// <param name="bias">Arena offset of the bias (N); updated.</param>
    /// <param name="inputGradient">(B, K), without border; overwritten. <c>default</c> for a first layer, which needs none.</param>
    /// <param name="inputActivation">f, the activation that made x.</param>
    /// <exception cref="ArgumentException">The maps' sizes do not match.</exception>
    public static Instruction Of(
        FeatureMap outputGradient, FeatureMap input, int weights, int bias, FeatureMap inputGradient, Activation inputActivation)
    {
        Shapes.Require(
            inputGradient.IsNone || inputGradient.Size == input.Size,
            "DenseBackwardUpdate", "an input's gradient of the input's size", input, inputGradient);
        return new Instruction<DenseBackwardUpdate>(new()
        {
            OutputGradient = outputGradient,
            Saved = input,
            InputGradient = inputGradient,
            Weights = weights,
            Bias = bias,
            Derivative = inputActivation,
        });
    }

    static IReadOnlyList<IKernel<DenseBackwardUpdate>> IOperation<DenseBackwardUpdate>.Kernels { get; } =
    [
        new PortableKernel<DenseBackwardUpdate>("DenseBackwardUpdate.Small", SmallKernel, SmallDense.Group, SmallGrid),
        DenseBackwardInput.Portable.LentTo<DenseBackwardUpdate>(
            i => i.InputPart, (i, batch) => batch > SmallDense.Batch && !i.InputGradient.IsNone),
        new PortableKernel<DenseBackwardUpdate>(
            "DenseBackwardUpdate", TiledProduct.Kernel<UpdateProduct, DenseBackwardUpdate>, TiledProduct.GroupSize,
            (in i, batch) => batch > SmallDense.Batch ? TiledProduct.GridOf<UpdateProduct, DenseBackwardUpdate>(i, batch) : default)
        {
            Role = KernelRole.Gradient,
        },
    ];

    private readonly DenseBackwardInput InputPart => new()
    {
        OutputGradient = OutputGradient,
        Saved = Saved,
        InputGradient = InputGradient,
        Weights = Weights,
        Derivative = Derivative,
    };

    static void IOperation<DenseBackwardUpdate>.Visit(ref DenseBackwardUpdate i, OperandVisitor operands)
    {
        operands.Read(ref i.OutputGradient, Border.None);
        operands.Read(ref i.Saved, Border.None);
        operands.Write(ref i.InputGradient, Border.None);
        operands.Update(ref i.Weights, i.OutputGradient.Size * i.Saved.Size);
        operands.Update(ref i.Bias, i.OutputGradient.Size);
    }

    static Cost IOperation<DenseBackwardUpdate>.Cost(in DenseBackwardUpdate i, int batch)
    {
        long k = i.Saved.Size, n = i.OutputGradient.Size;
        var update = new Cost(2 * batch * n * k, 4 * (2 * n * (k + 1) + batch * (n + k)));
        return i.InputGradient.IsNone ? update : update + new Cost(2 * batch * n * k, 4 * batch * k);
    }

    /// <summary>
    /// Rows are outputs, columns inputs, the depth runs over images; the bias is one more column, whose input is always 1.
    /// </summary>
    internal readonly struct UpdateProduct : ITiledProduct<DenseBackwardUpdate>
    {
        public static bool LeftRunsAlongDepth => false;

        public static bool RightRunsAlongDepth => false;

        public static int Rows(in DenseBackwardUpdate i, int batch) => i.OutputGradient.Size;

        public static int Columns(in DenseBackwardUpdate i) => i.Saved.Size + 1;

        public static int Depth(in DenseBackwardUpdate i, int batch) => batch;

        public static int RowPlace(in DenseBackwardUpdate i, int row) => i.OutputGradient.Offset + row;

        public static int ColumnPlace(in DenseBackwardUpdate i, int column) =>
            column == i.Saved.Size ? TiledProduct.One : i.Saved.Offset + column;

        public static int LeftPlace(in DenseBackwardUpdate i, int depth) => depth * i.OutputGradient.Size;

        public static int RightPlace(in DenseBackwardUpdate i, int depth) => depth * i.Saved.Size;

        public static float Left(in DenseBackwardUpdate i, in Buffers buffers, int row, int depth) => buffers.Arena[row + depth];

        public static float Right(in DenseBackwardUpdate i, in Buffers buffers, int depth, int column) =>
            column == TiledProduct.One ? 1f : buffers.Arena[column + depth];

        public static int ResultPlace(in DenseBackwardUpdate i, int row, int column, int split) =>
            column == i.Saved.Size ? i.Bias + row : i.Weights + row * i.Saved.Size + column;

        public static float Result(in DenseBackwardUpdate i, in Buffers buffers, in MiniBatch batch, int row, int column, float sum) =>
            buffers.Arena[ResultPlace(i, row, column, 0)] - buffers.LearningRates[batch.From(buffers).Step] * sum;
    }
}
