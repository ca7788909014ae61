using System.Runtime.CompilerServices;

namespace AutoencoderGpu.Kernels.Simd;

/// <summary>Element-wise loops over contiguous floats, in whole vectors and then one by one.</summary>
internal static unsafe class Elements<V>
    where V : unmanaged, ISimd<V>
{
    /// <summary>x = f(x).</summary>
    public static void Activate(Activation activation, float* x, int count)
    {
        if (activation == Activation.None)
            return;
        var k = 0;
        for (; k <= count - V.Width; k += V.Width)
            V.Store(Activate(activation, V.Load(x + k)), x + k);
        for (; k < count; k++)
            SimdScalar.Store(Elements<SimdScalar>.Activate(activation, SimdScalar.Load(x + k)), x + k);
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
                V.Store(Activate(activation, V.Load(x + k) + V.Load(bias + k)), x + k);
            for (; k < columns; k++)
                SimdScalar.Store(Elements<SimdScalar>.Activate(activation, SimdScalar.Load(x + k) + SimdScalar.Load(bias + k)), x + k);
            x += stride;
        }
    }

    /// <summary>f(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Activate(Activation activation, V x)
    {
        if (activation == Activation.Relu)
            return V.Relu(x);
        return activation == Activation.Sigmoid ? Sigmoid(x) : x;
    }

    /// <summary>
    /// 1 / (1 + e⁻ˣ) to two units in the last place. e^y is 2ⁿ · e^r with n = y / ln 2 rounded and r what is left, of which the
    /// first seven powers are summed with Cephes' coefficients (Moshier, expf.c). .NET's own exponential of a vector of floats
    /// works in double precision, which costs several times as much.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sigmoid(V x)
    {
        // Beyond ±87 the result is 0 or 1 as far as it matters, and 2ⁿ would leave the range of floats.
        x = V.Max(V.Broadcast(-87f), x);
        var y = V.Max(V.Broadcast(-87f), V.Broadcast(0f) - x);
        // The sum with 1.5·2²³ has no room for a fraction.
        var whole = V.Broadcast(12582912f);
        var n = V.MultiplyAdd(y, V.Broadcast(1.44269504f), whole) - whole;
        // ln 2 in two parts, of which the first has so few bits that its product with n is exact.
        var r = V.MultiplyAdd(n, V.Broadcast(-0.693359375f), y);
        r = V.MultiplyAdd(n, V.Broadcast(2.12194440e-4f), r);
        var p = V.MultiplyAdd(V.Broadcast(1.9875691500e-4f), r, V.Broadcast(1.3981999507e-3f));
        p = V.MultiplyAdd(p, r, V.Broadcast(8.3334519073e-3f));
        p = V.MultiplyAdd(p, r, V.Broadcast(4.1665795894e-2f));
        p = V.MultiplyAdd(p, r, V.Broadcast(1.6666665459e-1f));
        p = V.MultiplyAdd(p, r, V.Broadcast(5.0000001201e-1f));
        var one = V.Broadcast(1f);
        p = V.MultiplyAdd(p, r * r, r + one);
        return one / V.MultiplyAdd(p, V.PowerOfTwo(n), one);
    }

    /// <summary>target = x · f′, where f made <paramref name="y"/>; x may be the target.</summary>
    public static void TimesDerivative(Activation activation, float* y, float* x, float* target, int count)
    {
        var k = 0;
        for (; k <= count - V.Width; k += V.Width)
            V.Store(TimesDerivative(activation, activation == Activation.None ? default : V.Load(y + k), V.Load(x + k)), target + k);
        for (; k < count; k++)
        {
            var made = activation == Activation.None ? default : SimdScalar.Load(y + k);
            SimdScalar.Store(Elements<SimdScalar>.TimesDerivative(activation, made, SimdScalar.Load(x + k)), target + k);
        }
    }

    /// <summary>x · f′, where f made <paramref name="y"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V TimesDerivative(Activation activation, V y, V x)
    {
        if (activation == Activation.Relu)
            return V.WherePositive(y, x);
        return activation == Activation.Sigmoid ? x * y * (V.Broadcast(1f) - y) : x;
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
