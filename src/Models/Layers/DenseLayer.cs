using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Operations;

namespace AutoencoderGpu.Models;

/// <summary>Fully connected: weights (out, in). Its input is flat, or an image of one channel, whose pixels are in PyTorch's order.</summary>
/// <param name="Name">Prefix of its parameters' names; null where the network shall give it one.</param>
/// <param name="Outputs">Outputs.</param>
/// <param name="Activation">What follows.</param>
public sealed record DenseLayer(string? Name, int Outputs, Activation Activation) : WeightedLayer(Name, Outputs, Activation), INotated<DenseLayer>
{
    static string INotated<DenseLayer>.Form => "dense N [ACTIVATION]";

    static string INotated<DenseLayer>.Meaning => "fully connected to N values";

    /// <inheritdoc/>
    public override string Notation => WithActivation($"dense {Outputs}");

    /// <inheritdoc/>
    public override Shape OutputOf(Shape input)
    {
        RequireOutputs("A dense layer");
        return input.IsFlat || input.Channels == 1
            ? Shape.Flat(Outputs)
            : throw new ArgumentException($"A dense layer of {Outputs} takes flat values, not {input}.");
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ParameterShape> ParametersOf(Shape input) =>
        [new("weight", [Outputs, input.Size], input.Size), new("bias", [Outputs], input.Size)];

    internal override IEnumerable<Instruction> Forward(LayerOperands operands) =>
        [DenseForward.Of(operands.Input, operands.Parameters[0], operands.Parameters[1], operands.Output, Activation)];

    internal override IEnumerable<Instruction> Backward(LayerOperands operands)
    {
        yield return DenseBackwardWeights.Of(operands.OutputGradient, operands.Input, operands.Gradients.Offset);
        if (operands.IsFirst)
            yield break;
        yield return DenseBackwardInput.Of(
            operands.OutputGradient, operands.Input, operands.Parameters[0], operands.InputGradient, operands.InputActivation);
    }

    static DenseLayer INotated<DenseLayer>.Parse(NotationWords words) => new(null, words.Number("outputs"), words.OptionalActivation());
}
