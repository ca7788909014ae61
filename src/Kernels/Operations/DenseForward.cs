using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Products;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// A fully connected layer: y[b, n] = f(Σₖ x[b, k] · w[n, k] + bias[n]), with x (B, K), y (B, N) and PyTorch's layout of weights, w (N, K).
/// </summary>
public partial struct DenseForward : IOperation<DenseForward>
{
    internal FeatureMap Input;
    internal FeatureMap Output;
    internal int Weights;
    internal int Bias;
    internal Activation Activation;

    /// <summary>The forward pass.</summary>
    /// <param name="input">x (B, K), without border; any spatial shape is taken as flat.</param>
    /// <param name="weights">Arena offset of w (N, K).</param>
    /// <param name="bias">Arena offset of the bias (N).</param>
    /// <param name="output">y (B, N), without border; overwritten.</param>
    /// <param name="activation">f.</param>
    public static Instruction Of(FeatureMap input, int weights, int bias, FeatureMap output, Activation activation) =>
        new Instruction<DenseForward>(new() { Input = input, Output = output, Weights = weights, Bias = bias, Activation = activation });

    static IReadOnlyList<IKernel<DenseForward>> IOperation<DenseForward>.Kernels { get; } =
    [
        new PortableKernel<DenseForward>("DenseForward.Small", SmallKernel, SmallDense.Group, SmallGrid),
        new PortableKernel<DenseForward>(
            "DenseForward", TiledProduct.Kernel<Product, DenseForward>, TiledProduct.GroupSize,
            (in i, batch) => batch > SmallDense.Batch ? TiledProduct.GridOf<Product, DenseForward>(i, batch) : default),
    ];

    static void IOperation<DenseForward>.Visit(ref DenseForward i, OperandVisitor operands)
    {
        operands.Read(ref i.Input, Border.None);
        operands.Write(ref i.Output, Border.None);
        operands.Read(ref i.Weights, i.Output.Size * i.Input.Size);
        operands.Read(ref i.Bias, i.Output.Size);
    }

    static Cost IOperation<DenseForward>.Cost(in DenseForward i, int batch)
    {
        long k = i.Input.Size, n = i.Output.Size;
        return new(2 * batch * n * k, 4 * (n * k + n + batch * (n + k)));
    }

    /// <summary>Rows are images, columns outputs, the depth runs over inputs.</summary>
    internal readonly struct Product : ITiledProduct<DenseForward>
    {
        public static bool LeftRunsAlongDepth => true;

        public static bool RightRunsAlongDepth => true;

        public static int Rows(in DenseForward i, int batch) => batch;

        public static int Columns(in DenseForward i) => i.Output.Size;

        public static int Depth(in DenseForward i, int batch) => i.Input.Size;

        public static int RowPlace(in DenseForward i, int row) => i.Input.Offset + row * i.Input.Size;

        public static int ColumnPlace(in DenseForward i, int column) => i.Weights + column * i.Input.Size;

        public static int LeftPlace(in DenseForward i, int depth) => depth;

        public static int RightPlace(in DenseForward i, int depth) => depth;

        public static float Left(in DenseForward i, in Buffers buffers, int row, int depth) => buffers.Arena[row + depth];

        public static float Right(in DenseForward i, in Buffers buffers, int depth, int column) => buffers.Arena[column + depth];

        public static int ResultPlace(in DenseForward i, int row, int column, int split) =>
            i.Output.Offset + row * i.Output.Size + column;

        public static float Result(in DenseForward i, in Buffers buffers, in MiniBatch batch, int row, int column, float sum) =>
            Activations.Apply(i.Activation, sum + buffers.Arena[i.Bias + column]);
    }
}
