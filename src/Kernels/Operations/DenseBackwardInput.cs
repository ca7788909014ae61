using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Products;
using AutoencoderGpu.Kernels.Threads;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// The gradient of what a <see cref="DenseForward"/> read: ∂L/∂x[b, k] = f′(x[b, k]) · Σₙ g[b, n] · w[n, k], where g = ∂L/∂(pre-activation)
/// (B, N) and f is the activation that made x (B, K).
/// </summary>
public struct DenseBackwardInput : IOperation<DenseBackwardInput>
{
    internal FeatureMap OutputGradient;
    internal FeatureMap Saved;
    internal FeatureMap InputGradient;
    internal int Weights;
    internal Activation Derivative;

    /// <summary>The gradient of the input.</summary>
    /// <param name="outputGradient">g (B, N), without border.</param>
    /// <param name="input">x (B, K) as in the forward pass, without border.</param>
    /// <param name="weights">Arena offset of w (N, K).</param>
    /// <param name="inputGradient">(B, K), without border; overwritten.</param>
    /// <param name="inputActivation">f.</param>
    /// <exception cref="ArgumentException">The maps' sizes do not match.</exception>
    public static Instruction Of(
        FeatureMap outputGradient, FeatureMap input, int weights, FeatureMap inputGradient, Activation inputActivation)
    {
        Shapes.Require(
            inputGradient.Size == input.Size, "DenseBackwardInput", "an input's gradient of the input's size", input, inputGradient);
        return new Instruction<DenseBackwardInput>(new()
        {
            OutputGradient = outputGradient,
            Saved = input,
            InputGradient = inputGradient,
            Weights = weights,
            Derivative = inputActivation,
        });
    }

    /// <summary>Its one portable kernel.</summary>
    internal static PortableKernel<DenseBackwardInput> Portable { get; } =
        TiledProduct.KernelOf<Product, DenseBackwardInput>("DenseBackwardInput");

    static IReadOnlyList<IKernel<DenseBackwardInput>> IOperation<DenseBackwardInput>.Kernels { get; } = [Portable];

    static void IOperation<DenseBackwardInput>.Visit(ref DenseBackwardInput i, OperandVisitor operands)
    {
        operands.Read(ref i.OutputGradient, Border.None);
        operands.Read(ref i.Saved, Border.None);
        operands.Write(ref i.InputGradient, Border.None);
        operands.Read(ref i.Weights, i.OutputGradient.Size * i.Saved.Size);
    }

    static Cost IOperation<DenseBackwardInput>.Cost(in DenseBackwardInput i, int batch)
    {
        long k = i.Saved.Size, n = i.OutputGradient.Size;
        return new(2 * batch * n * k, 4 * (n * k + batch * (n + 2 * k)));
    }

    static void IOperation<DenseBackwardInput>.Run<V>(in DenseBackwardInput i, in HostBuffers buffers, in MiniBatch batch, Worker worker) =>
        DensePanels.BackwardInput<V>(i, buffers, batch.Count, worker);

    /// <summary>Rows are images, columns inputs, the depth runs over outputs.</summary>
    internal readonly struct Product : ITiledProduct<DenseBackwardInput>
    {
        public static bool LeftRunsAlongDepth => true;

        public static bool RightRunsAlongDepth => false;

        public static int Rows(in DenseBackwardInput i, int batch) => batch;

        public static int Columns(in DenseBackwardInput i) => i.Saved.Size;

        public static int Depth(in DenseBackwardInput i, int batch) => i.OutputGradient.Size;

        public static int RowPlace(in DenseBackwardInput i, int row) => i.OutputGradient.Offset + row * i.OutputGradient.Size;

        public static int ColumnPlace(in DenseBackwardInput i, int column) => i.Weights + column;

        public static int LeftPlace(in DenseBackwardInput i, int depth) => depth;

        public static int RightPlace(in DenseBackwardInput i, int depth) => depth * i.Saved.Size;

        public static float Left(in DenseBackwardInput i, in Buffers buffers, int row, int depth) => buffers.Arena[row + depth];

        public static float Right(in DenseBackwardInput i, in Buffers buffers, int depth, int column) => buffers.Arena[column + depth];

        public static int ResultPlace(in DenseBackwardInput i, int row, int column, int split) =>
            i.InputGradient.Offset + row * i.Saved.Size + column;

        public static float Result(in DenseBackwardInput i, in Buffers buffers, in MiniBatch batch, int row, int column, float sum) =>
            sum * Activations.Derivative(i.Derivative, buffers.Arena[i.Saved.Offset + row * i.Saved.Size + column]);
    }
}
