using System.Runtime.InteropServices;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;

namespace AutoencoderGpu.Kernels.Instructions;

/// <summary>One operation on named slices of the arena.</summary>
public abstract unsafe class Instruction
{
    private protected Instruction()
    {
    }

    /// <summary>The operation's name, which is that of its type.</summary>
    public abstract string Name { get; }

    /// <summary>FLOPs and bytes for a number of images.</summary>
    public abstract Cost Cost(int batch);

    /// <summary>The first map that it reads, and the first that it writes; none where there is none.</summary>
    public (FeatureMap Input, FeatureMap Output) Maps
    {
        get
        {
            var maps = new FirstMaps();
            Visited(maps);
            return (maps.Input, maps.Output);
        }
    }

    /// <summary>Has the visitor told of all operands.</summary>
    /// <returns>The instruction with the operands as the visitor left them.</returns>
    internal abstract Instruction Visited(OperandVisitor visitor);

    /// <summary>The portable kernels that execute it, as loaded.</summary>
    internal abstract IEnumerable<KernelLaunch> Launches(IKernelLoader loader);

    /// <summary>How it is executed on the CPU.</summary>
    internal abstract CpuBody OnCpu(SimdWidth simd);

    /// <summary>Floats of working memory that each worker needs.</summary>
    internal abstract long ScratchLength(SimdWidth simd);

    /// <summary>Its operands as bytes.</summary>
    internal abstract ReadOnlySpan<byte> OperandBytes { get; }

    private sealed class FirstMaps : OperandVisitor
    {
        public FeatureMap Input { get; private set; }

        public FeatureMap Output { get; private set; }

        protected override void Map(ref FeatureMap map, Access access, Border border, int copies, int distance)
        {
            if (access == Access.Read && Input.IsNone)
                Input = map;
            if (access == Access.Write && Output.IsNone)
                Output = map;
        }

        protected override void Slice(ref int offset, int length, Access access)
        {
        }
    }
}

/// <summary>Executes an instruction on the CPU, with vectors of one width.</summary>
/// <param name="function">Takes the address of the operands.</param>
internal readonly unsafe struct CpuBody(delegate*<void*, in HostBuffers, in MiniBatch, Worker, void> function)
{
    public readonly delegate*<void*, in HostBuffers, in MiniBatch, Worker, void> Function = function;
}

/// <summary>An instruction of an operation.</summary>
internal sealed unsafe class Instruction<T>(T operands) : Instruction
    where T : unmanaged, IOperation<T>
{
    private readonly T _operands = operands;

    /// <summary>Its operands.</summary>
    public ref readonly T Operands => ref _operands;

    public override string Name => typeof(T).Name;

    public override Cost Cost(int batch) => T.Cost(_operands, batch);

    internal override ReadOnlySpan<byte> OperandBytes => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in _operands));

    internal override Instruction Visited(OperandVisitor visitor)
    {
        var operands = _operands;
        T.Visit(ref operands, visitor);
        return new Instruction<T>(operands);
    }

    internal override IEnumerable<KernelLaunch> Launches(IKernelLoader loader) =>
        T.Kernels.Select(kernel => kernel.LaunchOf(_operands, loader));

    internal override CpuBody OnCpu(SimdWidth simd) => new(simd switch
    {
        SimdWidth.Bits512 => &Run<Simd512>,
        SimdWidth.Bits256 => &Run<Simd256>,
        SimdWidth.Bits128 => &Run<Simd128>,
        _ => &Run<SimdScalar>,
    });

    internal override long ScratchLength(SimdWidth simd) => simd switch
    {
        SimdWidth.Bits512 => T.ScratchLength<Simd512>(_operands),
        SimdWidth.Bits256 => T.ScratchLength<Simd256>(_operands),
        SimdWidth.Bits128 => T.ScratchLength<Simd128>(_operands),
        _ => T.ScratchLength<SimdScalar>(_operands),
    };

    private static void Run<V>(void* operands, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V> => T.Run<V>(*(T*)operands, buffers, batch, worker);
}
