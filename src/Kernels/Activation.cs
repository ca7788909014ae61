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

    /// <summary>x for x above 0, else 0.2 · x</summary>
    LeakyRelu,

    /// <summary>(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)</summary>
    Tanh,
}

/// <summary>The activations and their derivatives, for portable kernels, and what else is known of them.</summary>
public static class Activations
{
    /// <summary>The slope of <see cref="Activation.LeakyRelu"/> below 0.</summary>
    public const float LeakySlope = 0.2f;

    /// <summary>Below this 1 − 2 / (e²ˣ + 1) would lose what distinguishes tanh x from x.</summary>
    internal const float SmallForTanh = 0.625f;

    internal static float Apply(Activation activation, float x)
    {
        if (activation == Activation.Relu)
            return x < 0f ? 0f : x; // NaN stays NaN
        if (activation == Activation.LeakyRelu)
            return x > 0f ? x : LeakySlope * x;
        if (activation == Activation.Tanh)
            return Tanh(x);
        return activation == Activation.Sigmoid ? 1f / (1f + XMath.Exp(-x)) : x;
    }

    /// <summary>The derivative at the point whose result was <paramref name="y"/>.</summary>
    public static float Derivative(Activation activation, float y)
    {
        if (activation == Activation.Relu)
            return y > 0f ? 1f : 0f;
        if (activation == Activation.LeakyRelu)
            return y > 0f ? 1f : LeakySlope;
        if (activation == Activation.Tanh)
            return 1f - y * y;
        return activation == Activation.Sigmoid ? y * (1f - y) : 1f;
    }

    /// <summary>Between what its results lie.</summary>
    public static (double Least, double Greatest) Range(Activation activation) => activation switch
    {
        Activation.Relu => (0, double.PositiveInfinity),
        Activation.Sigmoid => (0, 1),
        Activation.Tanh => (-1, 1),
        _ => (double.NegativeInfinity, double.PositiveInfinity),
    };

    /// <summary>Whether it is so short that the CPU's convolutions may apply it to sums that are still in registers.</summary>
    internal static bool IsShort(Activation activation) => activation is Activation.None or Activation.Relu;

    /// <summary>Near 0 the odd powers to the eleventh with Cephes' coefficients (Moshier, tanhf.c), for XMath's is good to 2⁻¹¹ only on some GPUs.</summary>
    private static float Tanh(float x)
    {
        var size = x < 0f ? -x : x;
        if (size < SmallForTanh)
        {
            var z = x * x;
            return x + x * z * ((((-5.70498872745e-3f * z + 2.06390887954e-2f) * z - 5.37397155531e-2f) * z + 1.33314422036e-1f) * z - 3.33332819422e-1f);
        }

        var result = 1f - 2f / (XMath.Exp(2f * size) + 1f);
        return x < 0f ? -result : result;
    }
}

/// <summary>The activations and their derivatives, for the CPU's vectors.</summary>
internal static unsafe class Activations<V>
    where V : unmanaged, ISimd<V>
{
    /// <summary>f(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply(Activation activation, V x)
    {
        if (activation == Activation.Relu)
            return V.Relu(x);
        if (activation == Activation.LeakyRelu)
            return V.Max(x, V.Broadcast(Activations.LeakySlope) * x);
        if (activation == Activation.Tanh)
            return Tanh(x);
        return activation == Activation.Sigmoid ? Sigmoid(x) : x;
    }

    /// <summary>x · f′, where f made <paramref name="y"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V TimesDerivative(Activation activation, V y, V x)
    {
        if (activation == Activation.Relu)
            return V.WherePositive(y, x);
        if (activation == Activation.LeakyRelu)
        {
            var passed = V.WherePositive(y, x);
            return V.MultiplyAdd(V.Broadcast(Activations.LeakySlope), x - passed, passed);
        }

        if (activation == Activation.Tanh)
            return x * (V.Broadcast(1f) - y * y);
        return activation == Activation.Sigmoid ? x * y * (V.Broadcast(1f) - y) : x;
    }

    /// <summary>x = f(x).</summary>
    public static void Activate(Activation activation, float* x, int count)
    {
        if (activation == Activation.None)
            return;
        var k = 0;
        for (; k <= count - V.Width; k += V.Width)
            V.Store(Activations<V>.Apply(activation, V.Load(x + k)), x + k);
        for (; k < count; k++)
            SimdScalar.Store(Activations<SimdScalar>.Apply(activation, SimdScalar.Load(x + k)), x + k);
    }

    /// <summary>x[r, c] = f(x[r, c] + bias[c]).</summary>
    /// <param name="x">Rows <paramref name="stride"/> floats apart.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddBias(Activation activation, float* bias, float* x, nint stride, int rows, int columns)
    {
        for (; rows > 0; rows--)
        {
            var k = 0;
            for (; k <= columns - V.Width; k += V.Width)
                V.Store(Activations<V>.Apply(activation, V.Load(x + k) + V.Load(bias + k)), x + k);
            for (; k < columns; k++)
                SimdScalar.Store(Activations<SimdScalar>.Apply(activation, SimdScalar.Load(x + k) + SimdScalar.Load(bias + k)), x + k);
            x += stride;
        }
    }

    /// <summary>target = x · f′, where f made <paramref name="y"/>; x may be the target.</summary>
    public static void TimesDerivative(Activation activation, float* y, float* x, float* target, int count)
    {
        var k = 0;
        for (; k <= count - V.Width; k += V.Width)
            V.Store(Activations<V>.TimesDerivative(activation, activation == Activation.None ? default : V.Load(y + k), V.Load(x + k)), target + k);
        for (; k < count; k++)
        {
            var made = activation == Activation.None ? default : SimdScalar.Load(y + k);
            SimdScalar.Store(Activations<SimdScalar>.TimesDerivative(activation, made, SimdScalar.Load(x + k)), target + k);
        }
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

    /// <summary>tanh x as in <see cref="Activations"/>, both ways of which one is taken.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Tanh(V x)
    {
        V zero = default, one = V.Broadcast(1f), size = V.Max(x, zero - x), z = x * x;
        var p = V.MultiplyAdd(V.Broadcast(-5.70498872745e-3f), z, V.Broadcast(2.06390887954e-2f));
        p = V.MultiplyAdd(p, z, V.Broadcast(-5.37397155531e-2f));
        p = V.MultiplyAdd(p, z, V.Broadcast(1.33314422036e-1f));
        p = V.MultiplyAdd(p, z, V.Broadcast(-3.33332819422e-1f));
        var small = V.MultiplyAdd(p * z, x, x);
        var (power, scale) = VectorMath<V>.Exp(zero - V.Max(V.Broadcast(-87f), V.Broadcast(-2f) * size));
        var large = one - V.Broadcast(2f) / V.MultiplyAdd(power, scale, one);
        large *= V.WherePositive(x, one) - V.WherePositive(zero - x, one); // a product, which keeps NaN
        var isSmall = V.Broadcast(Activations.SmallForTanh) - size;
        return V.WherePositive(isSmall, small) + (large - V.WherePositive(isSmall, large));
    }
}
