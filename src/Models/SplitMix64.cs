namespace AutoencoderGpu.Models;

/// <summary>
/// Random numbers by SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). Any state is a
/// good one, so every purpose and every item can have its own, derived by <see cref="Combine"/>. Integers and exactly rounded
/// operations only, hence the same numbers on every machine and in every version of .NET.
/// </summary>
/// <param name="state">Where the sequence begins.</param>
public struct SplitMix64(ulong state)
{
    private const ulong GoldenGamma = 0x9e3779b97f4a7c15;
    private static readonly double _sqrt3 = Math.Sqrt(3);
    private ulong _state = state;

    /// <summary>A key that depends on every bit of both arguments.</summary>
    public static ulong Combine(ulong key, ulong value) => Mix(Mix(key + GoldenGamma) ^ value);

    /// <summary>64 random bits.</summary>
    public ulong Next() => Mix(_state += GoldenGamma);

    /// <summary>Uniform in [0, count).</summary>
    public int Next(int count) => (int)Math.BigMul(Next(), (ulong)count, out _);

    /// <summary>Uniform in [from, to).</summary>
    public double Uniform(double from, double to) => from + (to - from) * ((Next() >> 11) * (1.0 / (1UL << 53)));

    /// <summary>0 to <paramref name="count"/> − 1 in random order (Fisher and Yates).</summary>
    public int[] Permutation(int count)
    {
        var order = Enumerable.Range(0, count).ToArray();
        for (var i = count - 1; i > 0; i--)
        {
            var j = Next(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }

        return order;
    }

    /// <summary>Nearly Gaussian, standard deviation 1, within ±3.5: a sum of four uniform numbers needs no logarithm.</summary>
    public double Normal()
    {
        double sum = 0;
        for (int i = 0; i < 4; i++)
            sum += Uniform(-1, 1);
        return sum * _sqrt3 / 2;
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
}
