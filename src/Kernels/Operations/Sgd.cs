using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Simd;
using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// Plain stochastic gradient descent over a run of parameters with stored gradients: w −= rate · g, or, with the gradient's norm
/// clipped at c as by PyTorch's <c>clip_grad_norm_</c>, w −= rate · min(1, c / (‖g‖ + 10⁻⁶)) · g. A gradient may arrive as several
/// partial sums.
/// </summary>
public static class Sgd
{
    /// <summary>Gradients whose squares are summed at once, one a thread of a group: more would leave most of a GPU idle.</summary>
    public const int NormBlock = GroupSum.GroupSize;

    /// <summary>
    /// The first step of clipping: sums the partial sums of every gradient into the first of them, and the squares of each block
    /// into <paramref name="partials"/>.
    /// </summary>
    /// <param name="gradients">Arena offset of g (splits, count); the first split is overwritten with the total.</param>
    /// <param name="count">Number of parameters.</param>
    /// <param name="partials">Arena offset of one float a block of <see cref="NormBlock"/>; overwritten.</param>
    /// <param name="splits">Partial sums of g.</param>
    /// <param name="splitStride">Floats from one partial sum to the next.</param>
    public static Instruction GradientNorm(int gradients, int count, int partials, int splits = 1, int splitStride = 0) => new()
    {
        Operation = Operation.GradientNorm,
        Gradients = gradients,
        Count = count,
        Partials = partials,
        Splits = splits,
        SplitStride = splitStride,
    };

    /// <summary>The update.</summary>
    /// <param name="parameters">Arena offset of w (count); updated.</param>
    /// <param name="gradients">Arena offset of g (splits, count).</param>
    /// <param name="count">Number of parameters.</param>
    /// <param name="splits">Partial sums of g.</param>
    /// <param name="splitStride">Floats from one partial sum to the next.</param>
    public static Instruction Update(int parameters, int gradients, int count, int splits = 1, int splitStride = 0) => new()
    {
        Operation = Operation.SgdUpdate,
        Weights = parameters,
        Gradients = gradients,
        Count = count,
        Splits = splits,
        SplitStride = splitStride,
    };

    /// <summary>The update with clipping, after <see cref="GradientNorm"/>.</summary>
    /// <param name="parameters">Arena offset of w (count); updated.</param>
    /// <param name="gradients">Arena offset of g (count).</param>
    /// <param name="count">Number of parameters.</param>
    /// <param name="partials">What <see cref="GradientNorm"/> wrote.</param>
    /// <param name="maximalNorm">c, above 0.</param>
    public static Instruction ClippedUpdate(int parameters, int gradients, int count, int partials, float maximalNorm) =>
        Update(parameters, gradients, count) with { Partials = partials, Scale = maximalNorm };

    internal static int Blocks(in Instruction i) => (i.Count + NormBlock - 1) / NormBlock;

    internal static Cost NormCost(in Instruction i, int batch) => new(2L * i.Count * i.Splits, 4L * i.Count * (i.Splits + 1));

    internal static Cost UpdateCost(in Instruction i, int batch) => new(2L * i.Count * i.Splits, 4L * i.Count * (i.Splits + 2));

    internal static void NormKernel(Instruction i, Buffers buffers, MiniBatch batch)
    {
        int thread = Group.IdxX, block = Grid.IdxX, index = block * NormBlock + thread;
        var gradient = 0f;
        if (index < i.Count)
        {
            gradient = Gradient(i, buffers, index);
            buffers.Arena[i.Gradients + index] = gradient;
        }

        var sum = GroupSum.Of(gradient * gradient);
        if (thread == 0)
            buffers.Arena[i.Partials + block] = sum;
    }

    internal static void UpdateKernel(Instruction i, Buffers buffers, MiniBatch batch)
    {
        // What is read here is on its way while the norm is summed.
        int index = Grid.GlobalIndex.X, inside = IntrinsicMath.Min(index, i.Count - 1);
        var rate = buffers.LearningRates[batch.From(buffers).Step];
        float weight = buffers.Arena[i.Weights + inside], gradient = Gradient(i, buffers, inside);
        if (i.Scale > 0f)
        {
            var squares = 0f;
            for (var block = Group.IdxX; block < Blocks(i); block += GroupSum.GroupSize)
                squares += buffers.Arena[i.Partials + block];
            rate *= ClipFactor(i.Scale, GroupSum.Of(squares));
        }

        if (index < i.Count)
            buffers.Arena[i.Weights + index] = weight - rate * gradient;
    }

    /// <summary>Blocks that a worker takes at a time at least.</summary>
    private const int BlocksOfPiece = 16;

    internal static unsafe void RunNorm<V>(in Instruction i, in HostBuffers buffers, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        foreach (var block in worker.Items(Blocks(i), BlocksOfPiece))
        {
            var count = Math.Min(NormBlock, i.Count - block * NormBlock);
            var gradients = SumSplits<V>(i, buffers, block * NormBlock, count);
            buffers.Arena[i.Partials + block] = Elements<V>.SumOfSquares(gradients, count);
        }
    }

    internal static unsafe void RunUpdate<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        var rate = buffers.LearningRates[batch.Step];
        if (i.Scale > 0f)
        {
            var squares = 0f;
            for (var block = 0; block < Blocks(i); block++)
                squares += buffers.Arena[i.Partials + block];
            rate *= ClipFactor(i.Scale, squares);
        }

        foreach (var block in worker.Items(Blocks(i), BlocksOfPiece))
        {
            int first = block * NormBlock, count = Math.Min(NormBlock, i.Count - first);
            var gradients = SumSplits<V>(i, buffers, first, count);
            Elements<V>.AddScaled(-rate, gradients, buffers.Arena + i.Weights + first, count);
        }
    }

    private static unsafe float* SumSplits<V>(in Instruction i, in HostBuffers buffers, int first, int count)
        where V : unmanaged, ISimd<V>
    {
        var total = buffers.Arena + i.Gradients + first;
        for (var split = 1; split < i.Splits; split++)
            Elements<V>.Add(total + (nint)split * i.SplitStride, total, count);
        return total;
    }

    /// <summary>Of all splits, eight of which are read at once.</summary>
    private static float Gradient(in Instruction i, in Buffers buffers, int index)
    {
        var sum = 0f;
        for (var split = 0; split < i.Splits; split += 8)
        {
            float a = Part(i, buffers, index, split), b = Part(i, buffers, index, split + 1);
            float c = Part(i, buffers, index, split + 2), d = Part(i, buffers, index, split + 3);
            float e = Part(i, buffers, index, split + 4), f = Part(i, buffers, index, split + 5);
            float g = Part(i, buffers, index, split + 6), h = Part(i, buffers, index, split + 7);
            sum += a + b + (c + d) + (e + f + (g + h));
        }

        return sum;
    }

    private static float Part(in Instruction i, in Buffers buffers, int index, int split) =>
        split < i.Splits ? buffers.Arena[i.Gradients + split * i.SplitStride + index] : 0f;

    private static float ClipFactor(float maximalNorm, float squares) =>
        IntrinsicMath.Min(1f, maximalNorm / (ILGPU.Algorithms.XMath.Sqrt(squares) + 1e-6f));
}
