using System.Runtime.CompilerServices;

namespace AutoencoderGpu.Kernels.Simd;

/// <summary>Element-wise loops over contiguous floats, in whole vectors and then one by one.</summary>
internal static unsafe class Elementwise<V>
    where V : unmanaged, ISimd<V>
{
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

    /// <summary>target = source.</summary>
    public static void Copy(float* source, float* target, int count)
    {
        var k = 0;
        for (; k <= count - V.Width; k += V.Width)
            V.Store(V.Load(source + k), target + k);
        for (; k < count; k++)
            target[k] = source[k];
    }

    /// <summary>target = scale · source.</summary>
    public static void Scale(float scale, float* source, float* target, int count)
    {
        var k = 0;
        var factor = V.Broadcast(scale);
        for (; k <= count - V.Width; k += V.Width)
            V.Store(factor * V.Load(source + k), target + k);
        for (; k < count; k++)
            target[k] = scale * source[k];
    }

    /// <summary>target += source.</summary>
    public static void Add(float* source, float* target, int count) => AddScaled(1f, source, target, count);

    /// <summary>target += scale · source.</summary>
    public static void AddScaled(float scale, float* source, float* target, int count)
    {
        var k = 0;
        var factor = V.Broadcast(scale);
        for (; k <= count - V.Width; k += V.Width)
            V.Store(V.MultiplyAdd(factor, V.Load(source + k), V.Load(target + k)), target + k);
        for (; k < count; k++)
            target[k] = float.MultiplyAddEstimate(scale, source[k], target[k]);
    }

    /// <summary>Σ x².</summary>
    public static float SumOfSquares(float* x, int count)
    {
        var k = 0;
        V sums = default;
        for (; k <= count - V.Width; k += V.Width)
            sums = V.MultiplyAdd(V.Load(x + k), V.Load(x + k), sums);
        var sum = V.Sum(sums);
        for (; k < count; k++)
            sum += x[k] * x[k];
        return sum;
    }
}
