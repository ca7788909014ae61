using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;

namespace AutoencoderGpu.Kernels.Instructions;

/// <summary>
/// An operation. The type that implements it is blittable and holds the operands of one instruction, whatever they are, so a kernel gets
/// them as they are. Everything else that is known of the operation stands in the same type; there is no list of operations elsewhere.
/// </summary>
/// <typeparam name="T">The type itself.</typeparam>
internal interface IOperation<T>
    where T : unmanaged, IOperation<T>
{
    /// <summary>The portable kernels that execute an instruction on a GPU, one after another; always the same objects.</summary>
    static abstract IReadOnlyList<IKernel<T>> Kernels { get; }

    /// <summary>Names every operand: what is read and written, and where a border of zeros is needed.</summary>
    static abstract void Visit(ref T i, OperandVisitor operands);

    /// <summary>FLOPs and bytes for a number of images.</summary>
    static abstract Cost Cost(in T i, int batch);

    /// <summary>Floats of <see cref="Worker.Scratch"/> that <see cref="Run"/> uses at most.</summary>
    static virtual long ScratchLength<V>(in T i)
        where V : unmanaged, ISimd<V> => Worker.ScratchLength;

    /// <summary>Executes an instruction on the CPU: every worker of a team calls it, and does its share.</summary>
    static abstract void Run<V>(in T i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>;
}
