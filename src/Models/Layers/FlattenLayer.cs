using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Operations;

namespace AutoencoderGpu.Models;

/// <summary>A map as flat values, in PyTorch's order: channel, row, column.</summary>
public sealed record FlattenLayer : Layer, INotated<FlattenLayer>
{
    static string INotated<FlattenLayer>.Form => "flatten";

    static string INotated<FlattenLayer>.Meaning => "a map as values, channel by channel as in PyTorch";

    /// <inheritdoc/>
    public override string Notation => "flatten";

    /// <inheritdoc/>
    public override Shape OutputOf(Shape input) => Shape.Flat(input.Size);

    /// <summary>Values stay what they are.</summary>
    public override Activation ActivationOf(Activation input) => input;

    internal override IEnumerable<Instruction> Forward(LayerOperands operands) =>
        [ReorderChannels.Flatten(operands.Input, operands.Output)];

    internal override IEnumerable<Instruction> Backward(LayerOperands operands) => operands.IsFirst
        ? []
        : [ReorderChannels.Unflatten(operands.OutputGradient, operands.InputGradient)];

    static FlattenLayer INotated<FlattenLayer>.Parse(NotationWords words) => new();
}
