namespace AutoencoderGpu.Kernels.Instructions;

/// <summary>What an instruction needs at least.</summary>
/// <param name="Flops">Floating-point operations; a multiply-add is two.</param>
/// <param name="Bytes">Bytes moved when every operand is read once and every result written once.</param>
public readonly record struct Cost(long Flops, long Bytes)
{
    /// <summary>The cost of both.</summary>
    public static Cost operator +(Cost a, Cost b) => new(a.Flops + b.Flops, a.Bytes + b.Bytes);
}
