using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Operations;

namespace AutoencoderGpu.Models;

/// <summary>Max-pooling over 2×2; an odd last row or column is dropped, as in PyTorch.</summary>
public sealed record MaxPoolLayer : Layer, INotated<MaxPoolLayer>
{
    static string INotated<MaxPoolLayer>.Form => "pool";

    static string INotated<MaxPoolLayer>.Meaning => "maxima of 2×2 pixels";

    /// <inheritdoc/>
    public override string Notation => "pool";

    /// <inheritdoc/>
    public override Shape OutputOf(Shape input) => input.Height > 1 && input.Width > 1
        ? new(input.Height / 2, input.Width / 2, input.Channels)
        : throw new ArgumentException($"Pooling takes maps of at least 2×2 pixels, not {input}.");

    /// <summary>A maximum of activated values is an activated value.</summary>
    public override Activation ActivationOf(Activation input) => input;

    internal override IEnumerable<Instruction> Forward(LayerOperands operands) =>
        [MaxPool2x2.Of(operands.Input, operands.Output, Argmax(operands))];

    internal override IEnumerable<Instruction> Backward(LayerOperands operands) => operands.IsFirst
        ? []
        : [MaxPool2x2Backward.Of(operands.OutputGradient, Argmax(operands), operands.InputGradient)];

    private static FeatureMap Argmax(LayerOperands operands) => operands.Kept ??= operands.MapLike(operands.Output);

    static MaxPoolLayer INotated<MaxPoolLayer>.Parse(NotationWords words) => new();
}
