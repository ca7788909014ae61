using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Operations;

namespace AutoencoderGpu.Models;

/// <summary>A 3×3 convolution with stride 1 and padding 1: weights (Cout, Cin, 3, 3).</summary>
/// <param name="Name">Prefix of its parameters' names; null where the network shall give it one.</param>
/// <param name="Outputs">Output channels.</param>
/// <param name="Activation">What follows.</param>
public sealed record ConvLayer(string? Name, int Outputs, Activation Activation) : WeightedLayer(Name, Outputs, Activation), INotated<ConvLayer>
{
    static string INotated<ConvLayer>.Form => "conv N [ACTIVATION]";

    static string INotated<ConvLayer>.Meaning => "3×3 convolution to N channels, padding 1";

    /// <inheritdoc/>
    public override string Notation => WithActivation($"conv {Outputs}");

    private const int Taps = 9;

    /// <inheritdoc/>
    public override Shape OutputOf(Shape input)
    {
        RequireOutputs("A convolution");
        return input with { Channels = Outputs };
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ParameterShape> ParametersOf(Shape input) =>
        [new("weight", [Outputs, input.Channels, 3, 3], Taps * input.Channels), new("bias", [Outputs], Taps * input.Channels)];

    internal override bool HasSplitGradients => true;

    internal override IEnumerable<Instruction> Forward(LayerOperands operands) =>
        [Conv3x3.Forward(operands.Input, operands.Parameters[0], operands.Parameters[1], operands.Output, Activation)];

    internal override IEnumerable<Instruction> Backward(LayerOperands operands)
    {
        yield return Conv3x3BackwardWeights.Of(operands.OutputGradient, operands.Input, operands.Gradients);
        if (operands.IsFirst)
            yield break;
        var channels = operands.Input.Channels;
        var rotated = operands.Slice(Taps * channels * Outputs);
        yield return RotateWeights3x3.Of(operands.Parameters[0], rotated, channels, Outputs);
        yield return Conv3x3.BackwardInput(
            operands.OutputGradient, rotated, operands.InputGradient, operands.Input, operands.InputActivation);
    }

    static ConvLayer INotated<ConvLayer>.Parse(NotationWords words) => new(null, words.Number("output channels"), words.OptionalActivation());
}
