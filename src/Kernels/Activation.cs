using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Simd;
using ILGPU.Algorithms;

namespace AutoencoderGpu.Kernels;

/// <summary>
/// An elementwise function that is fused into the operation in front of it. None of them decreases, so the greatest of some sums makes
/// the greatest activation, and each one's derivative can be read off its result.
/// </summary>
public enum Activation
{
    /// <summary>x</summary>
    None,

    /// <summary>max(0, x)</summary>
    Relu,

    /// <summary>1 / (1 + e⁻ˣ)</summary>
    Sigmoid,
}

/// <summary>The activations and their derivatives, for portable kernels, and what else is known of them.</summary>
public static class Activations
{
    internal static float Apply(Activation activation, float x)
    {
        if (activation == Activation.Relu)
            return x < 0f ? 0f : x; // NaN stays NaN
        return activation == Activation.Sigmoid ? 1f / (1f + XMath.Exp(-x)) : x;
    }

    /// <summary>The derivative at the point whose result was <paramref name="y"/>.</summary>
    internal static float Derivative(Activation activation, float y)
    {
        if (activation == Activation.Relu)
            return y > 0f ? 1f : 0f;
        return activation == Activation.Sigmoid ? y * (1f - y) : 1f;
    }

    /// <summary>Between what its results lie.</summary>
    public static (double Least, double Greatest) Range(Activation activation) => activation switch
    {
        Activation.Relu => (0, double.PositiveInfinity),
        Activation.Sigmoid => (0, 1),
        _ => (double.NegativeInfinity, double.PositiveInfinity),
    };

    /// <summary>Whether it is so short that a kernel may apply it to sums that are still in registers.</summary>
    internal static bool IsShort(Activation activation) => activation is Activation.None or Activation.Relu;
}

/// <summary>The activations and their derivatives, for the CPU's vectors.</summary>
internal static class Activations<V>
    where V : unmanaged, ISimd<V>
{
    /// <summary>f(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply(Activation activation, V x)
    {
        if (activation == Activation.Relu)
            return V.Relu(x);
        return activation == Activation.Sigmoid ? Sigmoid(x) : x;
    }

    /// <summary>x · f′, where f made <paramref name="y"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V TimesDerivative(Activation activation, V y, V x)
    {
        if (activation == Activation.Relu)
            return V.WherePositive(y, x);
        return activation == Activation.Sigmoid ? x * y * (V.Broadcast(1f) - y) : x;
    }

    /// <summary>1 / (1 + e⁻ˣ) to two units in the last place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Sigmoid(V x)
    {
        // Beyond ±87 the result is 0 or 1 as far as it matters, and 2ⁿ would leave the range of floats.
        x = V.Max(V.Broadcast(-87f), x);
        var (power, scale) = VectorMath<V>.Exp(V.Max(V.Broadcast(-87f), V.Broadcast(0f) - x));
        var one = V.Broadcast(1f);
        return one / V.MultiplyAdd(power, scale, one);
    }
}
