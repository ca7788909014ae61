using AutoencoderGpu.Kernels.Instructions;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// What a reconstruction is judged by: a mean over all values of a mini-batch. A loss is a class beside the operation that computes it, and is
/// found by being there.
/// </summary>
/// <param name="Name">As in options and files.</param>
/// <param name="Title">For people.</param>
/// <param name="TargetsPixels">Whether its target is the pixel in 0 to 1; otherwise it is the normalised image.</param>
public abstract record Loss(string Name, string Title, bool TargetsPixels)
{
    /// <summary>All losses, the usual one first.</summary>
    public static IReadOnlyList<Loss> All { get; } = Choices.Of<Loss>(loss => loss.Name, "mse");

    /// <summary>The instruction that computes it.</summary>
    /// <param name="output">y (B, H, W, C).</param>
    /// <param name="target">t of the same shape.</param>
    /// <param name="gradient">∂L/∂(pre-activation) of the same shape; overwritten. <c>default</c> where only the loss is wanted.</param>
    /// <param name="outputActivation">The activation that made y.</param>
    public abstract Instruction Evaluate(FeatureMap output, FeatureMap target, FeatureMap gradient, Activation outputActivation);

    /// <summary>The loss of one value, in double precision; it is least where both are the same.</summary>
    public abstract double Value(double output, double target);

    /// <summary>What no output can go below that an activation makes.</summary>
    public double Floor(double target, Activation outputActivation)
    {
        var (least, greatest) = Activations.Range(outputActivation);
        return Value(Math.Clamp(target, least, greatest), target);
    }

    /// <inheritdoc/>
    public sealed override string ToString() => Name;
}
