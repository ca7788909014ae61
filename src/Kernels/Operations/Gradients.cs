using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Products;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;
using ILGPU;
using ILGPU.Algorithms;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// The gradients of a run of parameters, as update rules find them. Those of the last parameters may stand there as several partial sums,
/// and all of them may have to be clipped, as by PyTorch's <c>clip_grad_norm_</c>: g · min(1, c / (‖g‖ + 10⁻⁶)).
/// </summary>
public struct Gradients
{
    /// <summary>Gradients whose squares are summed at once, one a thread of a group: more would leave most of a GPU idle.</summary>
    public const int NormBlock = GroupSum.GroupSize;

    /// <summary>Blocks that a worker of the CPU takes at a time at least.</summary>
    internal const int BlocksAtOnce = 16;

    internal int Offset;
    internal int Count;
    internal int Splits;
    internal int SplitStride;
    internal int SplitStart;
    internal int Partials;
    internal float MaximalNorm;

    /// <summary>Gradients.</summary>
    /// <param name="offset">Arena offset of g (count).</param>
    /// <param name="count">Number of parameters.</param>
    public Gradients(int offset, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        (Offset, Count, Splits) = (offset, count, 1);
    }

    /// <summary>The blocks of <see cref="NormBlock"/>.</summary>
    public readonly int Blocks => (Count + NormBlock - 1) / NormBlock;

    /// <summary>These gradients, the last of them in several partial sums.</summary>
    /// <param name="splits">Partial sums.</param>
    /// <param name="stride">Floats from one partial sum of a gradient to the next.</param>
    /// <param name="start">Index of the first gradient that is split.</param>
    public readonly Gradients SplitInto(int splits, int stride, int start = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(splits, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, Count);
        if (splits > 1)
            ArgumentOutOfRangeException.ThrowIfLessThan(stride, Count - start);
        return this with { Splits = splits, SplitStride = stride, SplitStart = start };
    }

    /// <summary>These gradients without the first ones.</summary>
    /// <param name="count">How many are left out.</param>
    internal readonly Gradients Skip(int count) =>
        this with { Offset = Offset + count, Count = Count - count, SplitStart = Math.Max(0, SplitStart - count) };

    /// <summary>These gradients with their norm clipped.</summary>
    /// <param name="partials">Arena offset of what <see cref="GradientNorm"/> wrote, which has added partial sums up, too.</param>
    /// <param name="maximalNorm">c, above 0.</param>
    public readonly Gradients ClippedAt(int partials, float maximalNorm)
    {
        if (!(maximalNorm > 0))
            throw new ArgumentOutOfRangeException(nameof(maximalNorm), maximalNorm, "A norm to clip at is above 0.");
        return this with { Splits = 1, Partials = partials, MaximalNorm = maximalNorm };
    }

    /// <summary>Tells of the gradients.</summary>
    /// <param name="access">To the first partial sums.</param>
    internal void Visit(OperandVisitor operands, Access access)
    {
        operands.Visit(ref Offset, Count + (Splits - 1) * SplitStride, access);
        if (MaximalNorm > 0)
            operands.Read(ref Partials, Blocks);
    }

    /// <summary>FLOPs and bytes to read them all.</summary>
    internal readonly Cost Cost => new(2L * (Splits - 1) * SplitCount, 4L * ((Splits - 1L) * SplitCount + Count));

    /// <summary>Gradients that are split.</summary>
    internal readonly int SplitCount => Splits > 1 ? Count - SplitStart : 0;

    /// <summary>The factor that clips; all threads of the group must take part.</summary>
    internal readonly float ClipFactor(in Buffers buffers)
    {
        if (MaximalNorm <= 0f)
            return 1f;
        var squares = 0f;
        for (var block = Group.IdxX; block < Blocks; block += GroupSum.GroupSize)
            squares += buffers.Arena[Partials + block];
        return ClipFactor(GroupSum.Of(squares));
    }

    /// <summary>A gradient, of all splits, eight of which are read at once.</summary>
    internal readonly float At(in Buffers buffers, int index)
    {
        if (index < SplitStart)
            return buffers.Arena[Offset + index];
        var sum = 0f;
        for (var split = 0; split < Splits; split += 8)
        {
            float a = Part(buffers, index, split), b = Part(buffers, index, split + 1);
            float c = Part(buffers, index, split + 2), d = Part(buffers, index, split + 3);
            float e = Part(buffers, index, split + 4), f = Part(buffers, index, split + 5);
            float g = Part(buffers, index, split + 6), h = Part(buffers, index, split + 7);
            sum += a + b + (c + d) + (e + f + (g + h));
        }

        return sum;
    }

    /// <summary>The factor that clips, on the CPU.</summary>
    internal readonly unsafe float ClipFactor(in HostBuffers buffers)
    {
        if (MaximalNorm <= 0f)
            return 1f;
        var squares = 0f;
        for (var block = 0; block < Blocks; block++)
            squares += buffers.Arena[Partials + block];
        return ClipFactor(squares);
    }

    /// <summary>A block's gradients on the CPU, in the first of their partial sums, to which the others are added.</summary>
    internal readonly unsafe float* Block<V>(in HostBuffers buffers, int block, out int count)
        where V : unmanaged, ISimd<V>
    {
        var first = block * NormBlock;
        count = Math.Min(NormBlock, Count - first);
        var total = buffers.Arena + Offset + first;
        var whole = Math.Clamp(SplitStart - first, 0, count);
        for (var split = 1; split < Splits; split++)
            Elementwise<V>.Add(total + (nint)split * SplitStride + whole, total + whole, count - whole);
        return total;
    }

    private readonly float Part(in Buffers buffers, int index, int split) =>
        split < Splits ? buffers.Arena[Offset + split * SplitStride + index] : 0f;

    private readonly float ClipFactor(float squares) => IntrinsicMath.Min(1f, MaximalNorm / (XMath.Sqrt(squares) + 1e-6f));
}
