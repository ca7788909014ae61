using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Threads;
using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// Upsampling by 2 along both axes: y[b, p, q, c] = Σ_{i,j} u(p, i) · v(q, j) · x[b, i, j, c]. Bilinear with aligned corners, an
/// output position p lies at the input position s = p · (H−1) / (2H−1), and u(p, i) = max(0, 1 − |s − i|); nearest, u(p, i) is 1
/// for i = ⌊p/2⌋ and 0 elsewhere. v is the same along the width.
/// </summary>
/// <remarks>Weights are computed in float32 in PyTorch's order of operations, as its results are the oracle.</remarks>
public struct Upsample2x : IOperation<Upsample2x>
{
    /// <summary>
    /// An input position i meets the outputs 2i−1 to 2i+2 at most: |p·(H−1)/(2H−1) − i| &lt; 1 means p between
    /// 2i − 2 + (i−1)/(H−1) and 2i + 2 + (i+1)/(H−1), both exclusive.
    /// </summary>
    internal const int Reach = 4;

    internal FeatureMap Input;
    internal FeatureMap Output;
    internal Interpolation Interpolation;

    /// <summary>The forward pass.</summary>
    /// <param name="input">x (B, H, W, C).</param>
    /// <param name="output">y (B, 2H, 2W, C); overwritten.</param>
    /// <param name="interpolation">Bilinear or nearest.</param>
    /// <exception cref="ArgumentException">The maps' shapes do not match.</exception>
    public static Instruction Of(FeatureMap input, FeatureMap output, Interpolation interpolation)
    {
        RequireShapes(input, output);
        return new Instruction<Upsample2x>(new() { Input = input, Output = output, Interpolation = interpolation });
    }

    static IReadOnlyList<IKernel<Upsample2x>> IOperation<Upsample2x>.Kernels { get; } =
        [PortableKernel<Upsample2x>.Elementwise("Upsample2x", Kernel, (i, batch) => batch * i.Output.Size)];

    static void IOperation<Upsample2x>.Visit(ref Upsample2x i, OperandVisitor operands)
    {
        operands.Read(ref i.Input);
        operands.Write(ref i.Output);
    }

    static Cost IOperation<Upsample2x>.Cost(in Upsample2x i, int batch) =>
        new(7L * batch * i.Output.Size, 4L * batch * (i.Input.Size + i.Output.Size));

    static long IOperation<Upsample2x>.ScratchLength<V>(in Upsample2x i) => ScratchLength(i.Output.Width, i.Input.Width * i.Input.Channels);

    /// <summary>Floats for the shares of a row and for one row's sums.</summary>
    internal static long ScratchLength(int targets, int rowLength) => InterpolationWeights.Room * (targets + 1L) + rowLength;

    internal static void Kernel(Upsample2x i, Buffers buffers, MiniBatch batch)
    {
        var index = Grid.GlobalIndex.X;
        if (index >= batch.Count * i.Output.Size)
            return;
        int pixel = index / i.Output.Channels, channel = index - pixel * i.Output.Channels;
        int row = pixel / i.Output.Width, image = row / i.Output.Height;
        var vertical = Position.Of(i.Interpolation, row - image * i.Output.Height, i.Input.Height);
        var horizontal = Position.Of(i.Interpolation, pixel - row * i.Output.Width, i.Input.Width);
        var top = i.Input.At(image, vertical.First, 0) + channel;
        var bottom = i.Input.At(image, vertical.Second, 0) + channel;
        int left = horizontal.First * i.Input.Channels, right = horizontal.Second * i.Input.Channels;
        buffers.Arena[i.Output.AtPixel(pixel) + channel] =
            (1f - vertical.Weight) * Mix(buffers.Arena[top + left], buffers.Arena[top + right], horizontal.Weight)
            + vertical.Weight * Mix(buffers.Arena[bottom + left], buffers.Arena[bottom + right], horizontal.Weight);
    }

    /// <summary>Workers take rows of y: the rows of x that reach one are added up, then its columns.</summary>
    static unsafe void IOperation<Upsample2x>.Run<V>(in Upsample2x i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        int height = i.Output.Height, width = i.Output.Width, channels = i.Output.Channels;
        var sums = worker.Scratch;
        InterpolationWeights rows = new(ref sums, 1), columns = new(ref sums, width);
        for (var q = 0; q < width; q++)
            columns.AddInputs(q, i.Interpolation, q, i.Input.Width, 0, channels);
        foreach (var row in worker.Items(batch.Count * height))
        {
            var image = row / height;
            rows.Clear(0);
            rows.AddInputs(0, i.Interpolation, row - image * height, i.Input.Height, 0, i.Input.RowStride);
            rows.Sum<V>(0, buffers.Arena + i.Input.At(image, 0, 0), sums, i.Input.Width * channels);
            var output = buffers.Arena + i.Output.AtPixel(row * width);
            for (var q = 0; q < width; q++)
                columns.Sum<V>(q, sums, output + q * channels, channels);
        }
    }

    private static float Mix(float a, float b, float weight) => (1f - weight) * a + weight * b;

    internal static void RequireShapes(FeatureMap input, FeatureMap output) => Shapes.Require(
        output.Height == 2 * input.Height && output.Width == 2 * input.Width && output.Channels == input.Channels,
        "Upsample2x", "an output of twice the input's height and width", input, output);

    /// <summary>Along one axis, the two inputs that an output lies between and the weight of the second.</summary>
    internal readonly record struct Position(int First, int Second, float Weight)
    {
        /// <summary>Inputs an output, bilinear.</summary>
        public static float Scale(int inputs) => (inputs - 1) / (float)(2 * inputs - 1);

        public static Position Of(Interpolation interpolation, int output, int inputs) =>
            Of(interpolation, output, inputs, Scale(inputs));

        public static Position Of(Interpolation interpolation, int output, int inputs, float scale)
        {
            var isNearest = interpolation == Interpolation.Nearest;
            var position = output * scale;
            var first = isNearest ? output / 2 : (int)position;
            return new(first, isNearest ? first : IntrinsicMath.Min(first + 1, inputs - 1), isNearest ? 0f : position - first);
        }

        public float WeightOf(int input) => (First == input ? 1f - Weight : 0f) + (Second == input ? Weight : 0f);
    }
}
