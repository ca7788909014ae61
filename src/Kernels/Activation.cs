using ILGPU.Algorithms;

namespace AutoencoderGpu.Kernels;

/// <summary>An element-wise function that is fused into the operation in front of it.</summary>
public enum Activation
{
    /// <summary>x</summary>
    None,

    /// <summary>max(0, x)</summary>
    Relu,

    /// <summary>1 / (1 + e⁻ˣ)</summary>
    Sigmoid,
}

/// <summary>The activations and their derivatives, for portable kernels; <see cref="Simd.ISimd{T}"/> has those for vectors.</summary>
internal static class Activations
{
    public static float Apply(Activation activation, float x)
    {
        if (activation == Activation.Relu)
            return x < 0f ? 0f : x; // NaN stays NaN
        return activation == Activation.Sigmoid ? 1f / (1f + XMath.Exp(-x)) : x;
    }

    /// <summary>The derivative at the point whose result was <paramref name="y"/>.</summary>
    public static float Derivative(Activation activation, float y)
    {
        if (activation == Activation.Relu)
            return y > 0f ? 1f : 0f;
        return activation == Activation.Sigmoid ? y * (1f - y) : 1f;
    }
}
