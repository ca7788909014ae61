using AutoencoderGpu.Kernels.Instructions;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// Where the gradients of a convolution's parameters are written, (9·Cin + 1, Cout): the weights' and then the bias's. On a GPU the images and
/// pixels are split, so that many groups work at once, and each split writes a partial sum of its own.
/// </summary>
/// <param name="Offset">Arena offset of the first partial sum.</param>
/// <param name="Splits">Partial sums; on the CPU the first is the whole one and others become zeros.</param>
/// <param name="Stride">Floats from one partial sum to the next.</param>
public readonly record struct SplitGradients(int Offset, int Splits = 1, int Stride = 0)
{
    /// <summary>Tells of what a convolution of these channels writes.</summary>
    internal SplitGradients Visited(OperandVisitor operands, int inputChannels, int outputChannels)
    {
        var offset = Offset;
        operands.Write(ref offset, (Splits - 1) * Stride + (9 * inputChannels + 1) * outputChannels);
        return this with { Offset = offset };
    }
}
