using System.Globalization;
using ScottPlot;

namespace AutoencoderGpu.App.Reports;

/// <summary>Axis ticks at round numbers, all with the same number of decimals.</summary>
internal static class Ticks
{
    /// <summary>Ticks at multiples of 1, 2 or 5 times a power of ten.</summary>
    /// <param name="low">Lower end of the axis.</param>
    /// <param name="high">Upper end, above <paramref name="low"/>.</param>
    /// <param name="most">The largest number of intervals, at least 1.</param>
    /// <param name="smallestStep">The step is never smaller: 1 gives integers.</param>
    /// <returns>The ticks within the axis.</returns>
    public static Tick[] Between(double low, double high, int most, double smallestStep = 0)
    {
        double step = Math.Max(smallestStep, Step((high - low) / most));
        int decimals = Math.Clamp((int)-Math.Floor(Math.Log10(step) + 1e-9), 0, 15);
        string format = "F" + decimals.ToString(CultureInfo.InvariantCulture);

        long first = (long)Math.Ceiling(low / step - 1e-9), last = (long)Math.Floor(high / step + 1e-9);
        var ticks = new List<Tick>();
        for (long i = first; i <= last; i++)
            ticks.Add(new Tick(i * step, (i * step).ToString(format, CultureInfo.InvariantCulture)));
        return [.. ticks];
    }

    // The smallest of 1, 2, 5, 10 times a power of ten that is not below `least`.
    private static double Step(double least)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(least)));
        return power * (least / power) switch
        {
            <= 1 + 1e-9 => 1,
            <= 2 + 1e-9 => 2,
            <= 5 + 1e-9 => 5,
            _ => 10,
        };
    }
}
