using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Products;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;
using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// The first step of clipping: adds the partial sums of every gradient up, into the first of them, and sums the squares of each block of
/// <see cref="Gradients.NormBlock"/>, p[j] = Σ g[k]² over k in block j. ‖g‖ is √Σ p[j], which whoever updates parameters adds up.
/// </summary>
public struct GradientNorm : IOperation<GradientNorm>
{
    internal Gradients Gradients;
    internal int Partials;

    /// <summary>Prepares the gradients for <see cref="Gradients.ClippedAt"/>.</summary>
    /// <param name="gradients">g; the first partial sums are overwritten with the totals.</param>
    /// <param name="partials">Arena offset of p, one float a block; overwritten.</param>
    public static Instruction Of(Gradients gradients, int partials) =>
        new Instruction<GradientNorm>(new() { Gradients = gradients, Partials = partials });

    static IReadOnlyList<IKernel<GradientNorm>> IOperation<GradientNorm>.Kernels { get; } =
    [
        new PortableKernel<GradientNorm>("GradientNorm", Kernel, GroupSum.GroupSize, (in i, _) => new(i.Gradients.Blocks, 1, 1)) { Role = KernelRole.Update },
    ];

    static void IOperation<GradientNorm>.Visit(ref GradientNorm i, OperandVisitor operands)
    {
        i.Gradients.Visit(operands, Access.Update);
        operands.Write(ref i.Partials, i.Gradients.Blocks);
    }

    static Cost IOperation<GradientNorm>.Cost(in GradientNorm i, int batch) =>
        i.Gradients.Cost + new Cost(2L * i.Gradients.Count, 4L * i.Gradients.SplitCount);

    internal static void Kernel(GradientNorm i, Buffers buffers, MiniBatch batch)
    {
        int thread = Group.IdxX, block = Grid.IdxX, index = block * Gradients.NormBlock + thread;
        var gradient = 0f;
        if (index < i.Gradients.Count)
        {
            gradient = i.Gradients.At(buffers, index);
            if (i.Gradients.Splits > 1)
                buffers.Arena[i.Gradients.Offset + index] = gradient;
        }

        var sum = GroupSum.Of(gradient * gradient);
        if (thread == 0)
            buffers.Arena[i.Partials + block] = sum;
    }

    static unsafe void IOperation<GradientNorm>.Run<V>(in GradientNorm i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        foreach (var block in worker.Items(i.Gradients.Blocks, Gradients.BlocksAtOnce))
        {
            var gradients = i.Gradients.Block<V>(buffers, block, out var count);
            buffers.Arena[i.Partials + block] = Elementwise<V>.SumOfSquares(gradients, count);
        }
    }
}
