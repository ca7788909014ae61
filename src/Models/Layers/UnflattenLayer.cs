using System.Globalization;
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Operations;

namespace AutoencoderGpu.Models;

/// <summary>Flat values as a map, in PyTorch's order: channel, row, column.</summary>
/// <param name="Map">The map's shape.</param>
public sealed record UnflattenLayer(Shape Map) : Layer, INotated<UnflattenLayer>
{
    static string INotated<UnflattenLayer>.Form => "unflatten HxWxC";

    static string INotated<UnflattenLayer>.Meaning => "values as a map, channel by channel as in PyTorch";

    /// <inheritdoc/>
    public override string Notation => string.Create(CultureInfo.InvariantCulture, $"unflatten {Map.Height}x{Map.Width}x{Map.Channels}");

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

    static UnflattenLayer INotated<UnflattenLayer>.Parse(NotationWords words) => new(words.Shape());
}
