using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Operations;

namespace AutoencoderGpu.Models;

/// <summary>What a layer's instructions work on.</summary>
/// <param name="space">Gives more of it.</param>
internal sealed class LayerOperands(ArenaSpace space)
{
    /// <summary>The layer's input, x.</summary>
    public required FeatureMap Input { get; init; }

    /// <summary>What made x.</summary>
    public required Activation InputActivation { get; init; }

    /// <summary>∂L/∂(pre-activation of x); none for the first layer.</summary>
    public required FeatureMap InputGradient { get; init; }

    /// <summary>The layer's output, y.</summary>
    public required FeatureMap Output { get; init; }

    /// <summary>∂L/∂(pre-activation of y).</summary>
    public required FeatureMap OutputGradient { get; init; }

    /// <summary>Arena offsets of the parameters.</summary>
    public required IReadOnlyList<int> Parameters { get; init; }

    /// <summary>Where their gradients go, which lie as they do.</summary>
    public required SplitGradients Gradients { get; init; }

    /// <summary>Whether nobody needs the gradient of x.</summary>
    public bool IsFirst => InputGradient.IsNone;

    /// <summary>What the forward pass leaves to the backward pass beside input and output.</summary>
    public FeatureMap? Kept { get; set; }

    /// <summary>Another map of the shape of one.</summary>
    public FeatureMap MapLike(FeatureMap map) => space.Map(map.Height, map.Width, map.Channels);

    /// <summary>Floats that do not depend on the mini-batch.</summary>
    public int Slice(int length) => space.Slice(length);
}
