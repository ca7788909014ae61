using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Operations;

namespace AutoencoderGpu.Models;

/// <summary>Upsampling by 2.</summary>
/// <param name="Interpolation">Bilinear or nearest.</param>
public sealed record UpsampleLayer(Interpolation Interpolation) : Layer
{
    /// <inheritdoc/>
    public override Shape OutputOf(Shape input) => input with { Height = checked(2 * input.Height), Width = checked(2 * input.Width) };

    internal override IEnumerable<Instruction> Forward(LayerOperands operands) =>
        [Upsample2x.Of(operands.Input, operands.Output, Interpolation)];

    internal override IEnumerable<Instruction> Backward(LayerOperands operands) => operands.IsFirst
        ? []
        : [Upsample2xBackward.Of(operands.OutputGradient, operands.Input, operands.InputGradient, Interpolation, operands.InputActivation)];
}
