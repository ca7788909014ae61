using Xunit;

namespace AutoencoderGpu.Tests;

/// <summary>An exact sum with the sum of the absolute values of its terms, which bounds the rounding error of any order of adding.</summary>
/// <param name="Values">In double precision.</param>
/// <param name="Magnitudes">Σ|terms| of each value.</param>
/// <param name="Depth">Terms of each value.</param>
internal sealed record Sums(double[] Values, double[] Magnitudes, int Depth)
{
    public Sums(int length, int depth)
        : this(new double[length], new double[length], depth)
    {
    }

    /// <summary>
    /// What a float32 sum may be off by. The worst case of n additions is n roundings of Σ|terms|; roundings of either sign make
    /// it √n, of which this is twice, and eight more for what is done before and after.
    /// </summary>
    public double[] Bounds => [.. Magnitudes.Select(magnitude => Tolerance.Gamma(Depth) * magnitude)];

    public void Add(int index, double term)
    {
        Values[index] += term;
        Magnitudes[index] += Math.Abs(term);
    }

    /// <summary>Values and magnitudes times a factor each.</summary>
    public Sums Times(Func<int, double> factor) => new(
        [.. Values.Select((value, i) => value * factor(i))], [.. Magnitudes.Select((value, i) => value * Math.Abs(factor(i)))], Depth);
}

internal static class Tolerance
{
    /// <summary>Half the distance from 1 to the next float: the relative error of one rounding.</summary>
    public const double Rounding = 1.0 / (1 << 24);

    public static double Gamma(int depth) => (8 + 2 * Math.Sqrt(depth)) * Rounding;

    /// <summary>Every element within its bound; written so that NaN fails, and reporting the worst.</summary>
    public static void Check(string what, ReadOnlySpan<float> actual, ReadOnlySpan<double> expected, Func<int, double> bound)
    {
        Assert.Equal(expected.Length, actual.Length);
        var (worst, worstRatio, failures) = (-1, 1.0, 0);
        for (var i = 0; i < actual.Length; i++)
        {
            double error = Math.Abs(actual[i] - expected[i]), allowed = bound(i);
            if (error <= allowed)
                continue;
            failures++;
            var ratio = double.IsFinite(error / allowed) ? error / allowed : double.MaxValue;
            if (ratio > worstRatio || worst < 0)
                (worst, worstRatio) = (i, ratio);
        }

        if (failures > 0)
        {
            Assert.Fail(
                $"{what}: {failures} of {actual.Length} are off, the worst at {worst}: {actual[worst]:R} instead of "
                + $"{expected[worst]:R}, {worstRatio:G3} times the bound {bound(worst):G3}.");
        }
    }

    public static void Check(string what, ReadOnlySpan<float> actual, Sums expected)
    {
        var bounds = expected.Bounds;
        Check(what, actual, expected.Values, i => bounds[i]);
    }

    /// <summary>Against golden values, which are float32 sums themselves: the reference tells how far both may be off.</summary>
    public static void CheckGolden(string what, ReadOnlySpan<float> actual, float[]? golden, Sums reference)
    {
        var bounds = reference.Bounds;
        if (golden is not null)
            Check(what + " against libtorch", actual, [.. golden.Select(value => (double)value)], i => 2 * bounds[i]);
    }
}
