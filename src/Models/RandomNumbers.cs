namespace AutoencoderGpu.Models;

/// <summary>
/// Random numbers that are the same on every machine and in every version of .NET: SplitMix64 (Steele, Lea and Flood, "Fast
/// splittable pseudorandom number generators", 2014). Streams for different purposes never touch one another's numbers.
/// </summary>
/// <param name="seed">The run's seed.</param>
/// <param name="stream">What the numbers are for.</param>
/// <param name="index">Which of several, such as the epoch.</param>
public sealed class RandomNumbers(ulong seed, RandomNumbers.Purpose stream, ulong index = 0)
{
    private ulong _state = Mix(Mix(Mix(seed) + (ulong)stream) + index);

    /// <summary>What a stream of random numbers is for.</summary>
    public enum Purpose
    {
        /// <summary>Initial values of a model's parameters.</summary>
        InitialValues = 1,

        /// <summary>The order of an epoch's images; the index is the epoch.</summary>
        Shuffle,

        /// <summary>Built-in digits; the index is the image.</summary>
        Digits,
    }

    /// <summary>64 random bits.</summary>
    public ulong NextBits() => Mix(_state += 0x9E3779B97F4A7C15);

    /// <summary>Uniform in [0, 1), a multiple of 2⁻²⁴, so that it is exact as a float too.</summary>
    public double NextUnit() => (NextBits() >> 40) * (1.0 / (1 << 24));

    /// <summary>Uniform in [low, high).</summary>
    public double Next(double low, double high) => low + (high - low) * NextUnit();

    /// <summary>Uniform in 0 to <paramref name="limit"/> − 1; the bias is below limit/2³².</summary>
    public int Next(int limit) => (int)(((NextBits() >> 32) * (ulong)limit) >> 32);

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

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
