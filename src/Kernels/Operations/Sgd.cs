using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;
using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>Plain stochastic gradient descent over a run of parameters: w −= rate · g.</summary>
public struct Sgd : IOperation<Sgd>
{
    internal int Parameters;
    internal Gradients Gradients;

    /// <summary>The update.</summary>
    /// <param name="parameters">Arena offset of w; updated.</param>
    /// <param name="gradients">g. Partial sums are added up, into the first of them.</param>
    public static Instruction Of(int parameters, Gradients gradients) =>
        new Instruction<Sgd>(new() { Parameters = parameters, Gradients = gradients });

    static IReadOnlyList<IKernel<Sgd>> IOperation<Sgd>.Kernels { get; } =
        [PortableKernel<Sgd>.Elementwise("Sgd", Kernel, (i, _) => i.Gradients.Count, KernelRole.Update)];

    static void IOperation<Sgd>.Visit(ref Sgd i, OperandVisitor operands)
    {
        operands.Update(ref i.Parameters, i.Gradients.Count);
        i.Gradients.Visit(operands, Access.Update);
    }

    static Cost IOperation<Sgd>.Cost(in Sgd i, int batch) => i.Gradients.Cost + new Cost(2L * i.Gradients.Count, 8L * i.Gradients.Count);

    internal static void Kernel(Sgd i, Buffers buffers, MiniBatch batch)
    {
        // What is read here is on its way while the norm is summed.
        int index = Grid.GlobalIndex.X, inside = IntrinsicMath.Min(index, i.Gradients.Count - 1);
        var rate = buffers.LearningRates[batch.From(buffers).Step];
        float weight = buffers.Arena[i.Parameters + inside], gradient = i.Gradients.At(buffers, inside);
        rate *= i.Gradients.ClipFactor(buffers);
        if (index < i.Gradients.Count)
            buffers.Arena[i.Parameters + index] = weight - rate * gradient;
    }

    static unsafe void IOperation<Sgd>.Run<V>(in Sgd i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        var rate = buffers.LearningRates[batch.Step] * i.Gradients.ClipFactor(buffers);
        foreach (var block in worker.Items(i.Gradients.Blocks, Gradients.BlocksAtOnce))
        {
            var gradients = i.Gradients.Block<V>(buffers, block, out var count);
            Elementwise<V>.AddScaled(-rate, gradients, buffers.Arena + i.Parameters + block * Gradients.NormBlock, count);
        }
    }
}

/// <summary><see cref="Sgd"/> as a choice.</summary>
public sealed record SgdOptimiser() : Optimiser("sgd", 1.0)
{
    /// <inheritdoc/>
    public override string Title => "SGD";

    /// <inheritdoc/>
    public override Instruction Update(int parameters, Gradients gradients, IReadOnlyList<int> state) => Sgd.Of(parameters, gradients);
}
