using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;

namespace AutoencoderGpu.Kernels.Cpu;

/// <summary>An instruction as worker threads see it: where its operands are, and what executes it.</summary>
internal unsafe readonly struct CpuInstruction(void* operands, CpuBody body)
{
    private readonly void* _operands = operands;
    private readonly CpuBody _body = body;

    public void Run(in HostBuffers buffers, in MiniBatch batch, Worker worker) => _body.Function(_operands, buffers, batch, worker);
}

/// <summary>A program in memory that stays where it is.</summary>
internal sealed unsafe class CpuProgram
{
    private const int Alignment = 16;
    private readonly byte[] _operands;
    private readonly CpuInstruction[] _instructions;

    public CpuProgram(InstructionList program, SimdWidth simd)
    {
        _operands = GC.AllocateArray<byte>(program.Instructions.Sum(instruction => Aligned(instruction.OperandBytes.Length)), pinned: true);
        _instructions = GC.AllocateArray<CpuInstruction>(program.Instructions.Count, pinned: true);
        var offset = 0;
        for (var i = 0; i < Length; i++)
        {
            var instruction = program.Instructions[i];
            instruction.OperandBytes.CopyTo(_operands.AsSpan(offset));
            fixed (byte* operands = &_operands[offset])
                _instructions[i] = new(operands, instruction.OnCpu(simd));
            offset += Aligned(instruction.OperandBytes.Length);
            ScratchLength = Math.Max(ScratchLength, instruction.ScratchLength(simd));
        }
    }

    /// <summary>Instructions.</summary>
    public int Length => _instructions.Length;

    /// <summary>Floats of working memory that each worker needs.</summary>
    public long ScratchLength { get; }

    /// <summary>The first instruction; valid as long as this object is referred to.</summary>
    public CpuInstruction* First
    {
        get
        {
            fixed (CpuInstruction* first = _instructions)
                return first;
        }
    }

    private static int Aligned(int bytes) => (bytes + Alignment - 1) / Alignment * Alignment;
}
