using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Operations;

namespace AutoencoderGpu.Models;

/// <summary>Upsampling by 2.</summary>
/// <param name="Interpolation">Bilinear or nearest.</param>
public sealed record UpsampleLayer(Interpolation Interpolation) : Layer, INotated<UpsampleLayer>
{
    static string INotated<UpsampleLayer>.Form => "up [bilinear|nearest]";

    static string INotated<UpsampleLayer>.Meaning => "twice the height and width";

    /// <inheritdoc/>
    public override string Notation => $"up {Interpolation.ToString().ToLowerInvariant()}";

    /// <inheritdoc/>
    public override Shape OutputOf(Shape input) => input with { Height = checked(2 * input.Height), Width = checked(2 * input.Width) };

    internal override IEnumerable<Instruction> Forward(LayerOperands operands) =>
        [Upsample2x.Of(operands.Input, operands.Output, Interpolation)];

    internal override IEnumerable<Instruction> Backward(LayerOperands operands) => operands.IsFirst
        ? []
        : [Upsample2xBackward.Of(operands.OutputGradient, operands.Input, operands.InputGradient, Interpolation, operands.InputActivation)];

    static UpsampleLayer INotated<UpsampleLayer>.Parse(NotationWords words) => new(words.Choice(words.Interpolation, "bilinear or nearest"));
}
