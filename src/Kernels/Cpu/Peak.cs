using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Simd;

namespace AutoencoderGpu.Kernels.Cpu;

/// <summary>The loops that nothing but the machine slows down: what they reach is what other kernels are measured by.</summary>
internal static unsafe class Peak<V>
    where V : unmanaged, ISimd<V>
{
    /// <summary>
    /// Accumulators that do not depend on one another: two FMA units with a latency of four or five cycles need eight to ten, and
    /// with two operands twelve fit into the 16 registers of AVX2.
    /// </summary>
    private const int Accumulators = 12;

    /// <summary>Floating-point operations of one round of <see cref="MultiplyAdds"/>.</summary>
    public static int FlopsOfRound => 2 * Accumulators * V.Width;

    /// <summary>c = a·b + c in registers alone.</summary>
    /// <param name="rounds">How often for each of the accumulators.</param>
    /// <param name="a">An argument, as b, since the compiler would compute with what it knows.</param>
    /// <returns>What keeps the compiler from dropping the loop.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static float MultiplyAdds(int rounds, float a, float b)
    {
        V x = V.Broadcast(a), y = V.Broadcast(b);
        V c0 = default, c1 = default, c2 = default, c3 = default, c4 = default, c5 = default;
        V c6 = default, c7 = default, c8 = default, c9 = default, c10 = default, c11 = default;
        for (; rounds > 0; rounds--)
        {
            c0 = V.MultiplyAdd(x, y, c0);
            c1 = V.MultiplyAdd(x, y, c1);
            c2 = V.MultiplyAdd(x, y, c2);
            c3 = V.MultiplyAdd(x, y, c3);
            c4 = V.MultiplyAdd(x, y, c4);
            c5 = V.MultiplyAdd(x, y, c5);
            c6 = V.MultiplyAdd(x, y, c6);
            c7 = V.MultiplyAdd(x, y, c7);
            c8 = V.MultiplyAdd(x, y, c8);
            c9 = V.MultiplyAdd(x, y, c9);
            c10 = V.MultiplyAdd(x, y, c10);
            c11 = V.MultiplyAdd(x, y, c11);
        }

        return V.Sum(c0 + c1 + c2 + c3 + c4 + c5 + (c6 + c7 + c8 + c9 + c10 + c11));
    }

    /// <summary>target = a + factor·b, the triad of the STREAM benchmark: 12 bytes for 2 operations.</summary>
    /// <param name="count">Floats, a multiple of two vectors.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Triad(float* target, float* a, float* b, float factor, int count)
    {
        var x = V.Broadcast(factor);
        for (nint k = 0; k < count; k += 2 * V.Width)
        {
            var first = V.MultiplyAdd(x, V.Load(b + k), V.Load(a + k));
            var second = V.MultiplyAdd(x, V.Load(b + k + V.Width), V.Load(a + k + V.Width));
            V.Store(first, target + k);
            V.Store(second, target + k + V.Width);
        }
    }
}
