namespace AutoencoderGpu.Benchmarks;

/// <summary>A median between the least and the greatest value.</summary>
internal sealed record Spread(double Median, double Least, double Greatest)
{
    /// <summary>The spread of some values, at least one.</summary>
    public static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return new((sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2, sorted[0], sorted[^1]);
    }
}
