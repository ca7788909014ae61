using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Operations;

namespace AutoencoderGpu.Models;

/// <summary>Flat values as a map, in PyTorch's order: channel, row, column.</summary>
/// <param name="Map">The map's shape.</param>
public sealed record UnflattenLayer(Shape Map) : Layer
{
    /// <inheritdoc/>
    public override Shape OutputOf(Shape input)
    {
        Map.Check(nameof(Map));
        return input.IsFlat && input.Size == Map.Size
            ? Map
            : throw new ArgumentException($"Unflatten to {Map} takes {Map.Size} flat values, not {input}.");
    }

    /// <summary>Values stay what they are.</summary>
    public override Activation ActivationOf(Activation input) => input;

    internal override IEnumerable<Instruction> Forward(LayerOperands operands) =>
        [ReorderChannels.Unflatten(operands.Input, operands.Output)];

    internal override IEnumerable<Instruction> Backward(LayerOperands operands) => operands.IsFirst
        ? []
        : [ReorderChannels.Flatten(operands.OutputGradient, operands.InputGradient)];
}
