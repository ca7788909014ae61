using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace AutoencoderGpu.Benchmarks;

/// <summary>What Linux says of the machine, and what the build says of itself.</summary>
internal static class Machine
{
    /// <summary>Linux counts processor time in hundredths of a second towards programs, whatever its own clock.</summary>
    private const double TicksPerSecond = 100;

    /// <summary>The share of the processors that others may have in what is to count as undisturbed.</summary>
    public const double Disturbance = 0.03;

    /// <summary>Long enough for libtorch's threads to end their spinning, and to see what others do.</summary>
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(200);

    /// <summary>The processor's name.</summary>
    public static string Processor { get; } = File.ReadLines("/proc/cpuinfo")
        .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim()
            ?? RuntimeInformation.ProcessArchitecture.ToString();

    /// <summary>The distribution's name.</summary>
    public static string System { get; } = File.ReadLines("/etc/os-release")
        .FirstOrDefault(line => line.StartsWith("PRETTY_NAME=", StringComparison.Ordinal))?.Split('=', 2)[1].Trim('"')
            ?? RuntimeInformation.OSDescription;

    /// <summary>The source's commit, and whether there was more than it.</summary>
    public static string Commit { get; } = typeof(Machine).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "Commit").Value!;

    /// <summary>The time that all processors together were busy, with anything; a host's other guests included.</summary>
    public static TimeSpan BusyTime
    {
        get
        {
            // cpu user nice system idle iowait irq softirq steal …; the rest is counted in user already.
            var ticks = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Skip(1).Take(8).Select(text => long.Parse(text, CultureInfo.InvariantCulture)).ToArray();
            return TimeSpan.FromSeconds((ticks.Sum() - ticks[3] - ticks[4]) / TicksPerSecond);
        }
    }

    /// <summary>Waits until nobody computes, at least for a pause.</summary>
    /// <param name="longest">When it gives up.</param>
    /// <returns>How long it took.</returns>
    public static TimeSpan WaitForQuiet(TimeSpan longest)
    {
        var all = Stopwatch.StartNew();
        while (true)
        {
            var (busy, watch) = (BusyTime, Stopwatch.StartNew());
            Thread.Sleep(_pause);
            if ((BusyTime - busy) / watch.Elapsed / Environment.ProcessorCount <= Disturbance || all.Elapsed >= longest)
                return all.Elapsed;
        }
    }
}
