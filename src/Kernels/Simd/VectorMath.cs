using System.Runtime.CompilerServices;

namespace AutoencoderGpu.Kernels.Simd;

/// <summary>Exponential and logarithm of vectors. .NET's own of a vector of floats work in double precision, which costs several times as much.</summary>
internal static class VectorMath<V>
    where V : unmanaged, ISimd<V>
{
    /// <summary>
    /// eˣ to two units in the last place, for x from −87 to 87: 2ⁿ · e^r with n = x / ln 2 rounded and r what is left, of which the first
    /// seven powers are summed with Cephes' coefficients (Moshier, expf.c).
    /// </summary>
    /// <returns>The factors: e^r and 2ⁿ.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (V Power, V Scale) Exp(V x)
    {
        // The sum with 1.5·2²³ has no room for a fraction.
        var whole = V.Broadcast(12582912f);
        var n = V.MultiplyAdd(x, V.Broadcast(1.44269504f), whole) - whole;
        // ln 2 in two parts, of which the first has so few bits that its product with n is exact.
        var r = V.MultiplyAdd(n, V.Broadcast(-0.693359375f), x);
        r = V.MultiplyAdd(n, V.Broadcast(2.12194440e-4f), r);
        var p = V.MultiplyAdd(V.Broadcast(1.9875691500e-4f), r, V.Broadcast(1.3981999507e-3f));
        p = V.MultiplyAdd(p, r, V.Broadcast(8.3334519073e-3f));
        p = V.MultiplyAdd(p, r, V.Broadcast(4.1665795894e-2f));
        p = V.MultiplyAdd(p, r, V.Broadcast(1.6666665459e-1f));
        p = V.MultiplyAdd(p, r, V.Broadcast(5.0000001201e-1f));
        return (V.MultiplyAdd(p, r * r, r + V.Broadcast(1f)), V.PowerOfTwo(n));
    }

    /// <summary>
    /// ln x to two units in the last place, for normal x above 0: ln m + n · ln 2 with m from √½ to √2, of which the first nine powers of
    /// m − 1 are summed with Cephes' coefficients (Moshier, logf.c).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Log(V x)
    {
        V one = V.Broadcast(1f), m = V.Mantissa(x), isLarge = V.WherePositive(m - V.Broadcast(1.41421356f), one);
        var n = V.Exponent(x) + isLarge;
        var y = m - V.Broadcast(0.5f) * isLarge * m - one;
        var p = V.MultiplyAdd(V.Broadcast(7.0376836292e-2f), y, V.Broadcast(-1.1514610310e-1f));
        p = V.MultiplyAdd(p, y, V.Broadcast(1.1676998740e-1f));
        p = V.MultiplyAdd(p, y, V.Broadcast(-1.2420140846e-1f));
        p = V.MultiplyAdd(p, y, V.Broadcast(1.4249322787e-1f));
        p = V.MultiplyAdd(p, y, V.Broadcast(-1.6668057665e-1f));
        p = V.MultiplyAdd(p, y, V.Broadcast(2.0000714765e-1f));
        p = V.MultiplyAdd(p, y, V.Broadcast(-2.4999993993e-1f));
        p = V.MultiplyAdd(p, y, V.Broadcast(3.3333331174e-1f));
        var square = y * y;
        p = V.MultiplyAdd(p * y, square, n * V.Broadcast(-2.12194440e-4f));
        p = V.MultiplyAdd(V.Broadcast(-0.5f), square, p);
        return V.MultiplyAdd(n, V.Broadcast(0.693359375f), y + p);
    }
}
