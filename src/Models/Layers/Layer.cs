using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Instructions;

namespace AutoencoderGpu.Models;

/// <summary>
/// A layer of a network; its input is the output of the layer before. It knows shapes, parameters, and the plain instructions that it needs;
/// that instructions of neighbours may be fused is none of its business.
/// </summary>
public abstract record Layer
{
    /// <summary>The layer as text.</summary>
    public abstract string Notation { get; }

    /// <summary>The shape of its output.</summary>
    /// <exception cref="ArgumentException">It cannot take such an input; the message says what would fit.</exception>
    public abstract Shape OutputOf(Shape input);

    /// <summary>Its parameters, weights before bias.</summary>
    public virtual IReadOnlyList<ParameterShape> ParametersOf(Shape input) => [];

    /// <summary>What made the values of its output.</summary>
    /// <param name="input">What made those of its input.</param>
    public virtual Activation ActivationOf(Activation input) => Activation.None;

    /// <summary>Whether the gradients of its parameters may be made as several partial sums, since they sum over pixels.</summary>
    internal virtual bool HasSplitGradients => false;

    /// <summary>The instructions of the forward pass.</summary>
    internal abstract IEnumerable<Instruction> Forward(LayerOperands operands);

    /// <summary>
    /// The instructions of the backward pass: the gradients of parameters and, unless this is the first layer, of the input, both from that of
    /// the output.
    /// </summary>
    internal abstract IEnumerable<Instruction> Backward(LayerOperands operands);
}

/// <summary>A layer with weights and a bias, followed by an activation.</summary>
/// <param name="Name">Prefix of its parameters' names; null where the network shall give it one.</param>
/// <param name="Outputs">Outputs, or output channels.</param>
/// <param name="Activation">What follows.</param>
public abstract record WeightedLayer(string? Name, int Outputs, Activation Activation) : Layer
{
    /// <inheritdoc/>
    public sealed override Activation ActivationOf(Activation input) => Activation;

    private protected string WithActivation(FormattableString layer) =>
        FormattableString.Invariant(layer) + (Activation == Activation.None ? "" : $" {Activation.ToString().ToLowerInvariant()}");

    /// <summary>Throws where there are no outputs.</summary>
    private protected void RequireOutputs(string layer)
    {
        if (Outputs < 1)
            throw new ArgumentException($"{layer} has {Outputs} outputs, where 1 is the least.");
    }
}

/// <summary>A tensor of parameters as a layer wants it.</summary>
/// <param name="Suffix">Its name behind the layer's, <c>weight</c> or <c>bias</c>.</param>
/// <param name="Sizes">PyTorch's shape: (out, in), (Cout, Cin, 3, 3), or (out) for a bias.</param>
/// <param name="FanIn">Inputs of each output, which bound the initial values.</param>
public sealed record ParameterShape(string Suffix, IReadOnlyList<int> Sizes, int FanIn)
{
    /// <summary>Number of values.</summary>
    public int Count => Sizes.Aggregate(1, (product, size) => checked(product * size));
}
