using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Products;
using AutoencoderGpu.Kernels.Threads;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// The gradients of a dense layer's parameters: ∂L/∂w[n, k] = Σ_b g[b, n] · x[b, k] and ∂L/∂bias[n] = Σ_b g[b, n], where
/// g = ∂L/∂(pre-activation) (B, N). They are stored as the parameters are: (N, K), and (N) behind it.
/// </summary>
public struct DenseBackwardWeights : IOperation<DenseBackwardWeights>
{
    internal FeatureMap OutputGradient;
    internal FeatureMap Saved;
    internal int Gradients;

    /// <summary>The gradients of weights and bias.</summary>
    /// <param name="outputGradient">g (B, N), without border.</param>
    /// <param name="input">x (B, K) as in the forward pass, without border.</param>
    /// <param name="gradients">Arena offset of (N · K + N); overwritten.</param>
    public static Instruction Of(FeatureMap outputGradient, FeatureMap input, int gradients) =>
        new Instruction<DenseBackwardWeights>(new() { OutputGradient = outputGradient, Saved = input, Gradients = gradients });

    static IReadOnlyList<IKernel<DenseBackwardWeights>> IOperation<DenseBackwardWeights>.Kernels { get; } =
        [TiledProduct.KernelOf<Product, DenseBackwardWeights>("DenseBackwardWeights", KernelRole.Gradient)];

    static void IOperation<DenseBackwardWeights>.Visit(ref DenseBackwardWeights i, OperandVisitor operands)
    {
        operands.Read(ref i.OutputGradient, Border.None);
        operands.Read(ref i.Saved, Border.None);
        operands.Write(ref i.Gradients, i.OutputGradient.Size * (i.Saved.Size + 1));
    }

    static Cost IOperation<DenseBackwardWeights>.Cost(in DenseBackwardWeights i, int batch)
    {
        long k = i.Saved.Size, n = i.OutputGradient.Size;
        return new(2 * batch * n * k, 4 * (n * (k + 1) + batch * (n + k)));
    }

    static unsafe void IOperation<DenseBackwardWeights>.Run<V>(in DenseBackwardWeights i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        int k = i.Saved.Size, n = i.OutputGradient.Size;
        float* gradient = buffers.Arena + i.OutputGradient.Offset, target = buffers.Arena + i.Gradients;
        DensePanels.OuterProducts<V>(1f, gradient, n, buffers.Arena + i.Saved.Offset, k, batch.Count, target, accumulate: false, worker);
        var (start, end) = worker.Range(n);
        new Span<float>(target + (nint)n * k + start, end - start).Clear();
        DensePanels.AddToBias<V>(gradient, n, batch.Count, start, end, 1f, target + (nint)n * k);
    }

    /// <summary>
    /// Rows are outputs, columns inputs, the depth runs over images; the bias is one more column, whose input is always 1.
    /// </summary>
    internal readonly struct Product : ITiledProduct<DenseBackwardWeights>
    {
        public static bool LeftRunsAlongDepth => false;

        public static bool RightRunsAlongDepth => false;

        public static int Rows(in DenseBackwardWeights i, int batch) => i.OutputGradient.Size;

        public static int Columns(in DenseBackwardWeights i) => i.Saved.Size + 1;

        public static int Depth(in DenseBackwardWeights i, int batch) => batch;

        public static int RowPlace(in DenseBackwardWeights i, int row) => i.OutputGradient.Offset + row;

        public static int ColumnPlace(in DenseBackwardWeights i, int column) =>
            column == i.Saved.Size ? TiledProduct.One : i.Saved.Offset + column;

        public static int LeftPlace(in DenseBackwardWeights i, int depth) => depth * i.OutputGradient.Size;

        public static int RightPlace(in DenseBackwardWeights i, int depth) => depth * i.Saved.Size;

        public static float Left(in DenseBackwardWeights i, in Buffers buffers, int row, int depth) => buffers.Arena[row + depth];

        public static float Right(in DenseBackwardWeights i, in Buffers buffers, int depth, int column) =>
            column == TiledProduct.One ? 1f : buffers.Arena[column + depth];

        public static int ResultPlace(in DenseBackwardWeights i, int row, int column, int split) =>
            i.Gradients + (column == i.Saved.Size ? i.OutputGradient.Size * i.Saved.Size + row : row * i.Saved.Size + column);

        public static float Result(in DenseBackwardWeights i, in Buffers buffers, in MiniBatch batch, int row, int column, float sum) => sum;
    }
}
