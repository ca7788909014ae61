namespace AutoencoderGpu.Tests.Kernels;

/// <summary>Reproducible values for tests.</summary>
internal sealed class Values(int seed)
{
    private readonly Random _random = new(seed & int.MaxValue);

    public float[] Next(int length, double low = -1, double high = 1) =>
        [.. Enumerable.Range(0, length).Select(_ => (float)(low + (high - low) * _random.NextDouble()))];

    /// <summary>Few different values, so that many are equal.</summary>
    public float[] Integers(int length, int low, int high) =>
        [.. Enumerable.Range(0, length).Select(_ => (float)_random.Next(low, high + 1))];

    public byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        _random.NextBytes(bytes);
        return bytes;
    }

    public int[] Permutation(int length)
    {
        var order = Enumerable.Range(0, length).ToArray();
        _random.Shuffle(order);
        return order;
    }
}

internal static class Updated
{
    /// <summary>w − rate·g: the gradient's error times the rate, and the roundings of the product and the difference.</summary>
    public static void Check(string what, float[] actual, float[] before, Sums gradient, float[]? golden, double factor = 1)
    {
        var rate = Workbench.Rate * factor;
        var bounds = gradient.Bounds;
        double Bound(int i) => rate * bounds[i] + 2 * Tolerance.Rounding * (Math.Abs(before[i]) + rate * Math.Abs(gradient.Values[i]));
        Tolerance.Check(what, actual, [.. before.Select((value, i) => value - rate * gradient.Values[i])], Bound);
        if (golden is not null)
            Tolerance.Check(what + " against libtorch", actual, [.. before.Select((value, i) => value - rate * golden[i])], i => 2 * Bound(i));
    }
}
