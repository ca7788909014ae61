using System.Diagnostics;
using System.Globalization;

namespace AutoencoderGpu.Benchmarks;

/// <summary>What only a run of the whole program shows: how soon it trains, and how much memory it takes.</summary>
internal static class WholeProgram
{
    private static readonly TimeSpan _longest = TimeSpan.FromMinutes(1);

    /// <summary>How long each start waits for others to end their work.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Milliseconds from the start of the process until <c>train</c> has written the weights of an epoch that is a single step of
    /// ten images: a little more than the first step takes, seen from outside.
    /// </summary>
    /// <param name="program">By its name, if it lies beside this one, or the path of its executable.</param>
    /// <param name="model"><c>fc</c> or <c>conv</c>.</param>
    /// <param name="dataset">With <c>mnist</c> all of its files are read and verified first.</param>
    public static Spread StartToFirstStep(string program, string model, string dataset, Settings settings) => Repeat(settings, () =>
    {
        var run = Path.Combine(settings.Scratch, "start");
        var weights = Path.Combine(run, model, "last.safetensors");
        if (Directory.Exists(run))
            Directory.Delete(run, recursive: true);
        Machine.WaitForQuiet(_patience);
        var info = Programs.StartInfo(
            program,
            [
                "train", "--model", model, "--accelerator", "cpu", "--threads", Text(settings.Threads), "--dataset", dataset,
                "--train-limit", "10", "--test-limit", "1", "--epochs", "1", "--output", run, "--quiet",
            ]);
        var watch = Stopwatch.StartNew();
        using var process = Process.Start(info)!;
        while (!File.Exists(weights))
        {
            if (process.HasExited || watch.Elapsed > _longest)
                throw new InvalidOperationException("`autoencoder train` wrote no weights");
            Thread.Sleep(1);
        }

        var elapsed = watch.Elapsed;
        process.Kill();
        process.WaitForExit();
        return elapsed;
    });

    /// <summary>Milliseconds that a program of .NET takes that does nothing.</summary>
    public static Spread StartOfRuntime(Settings settings) => Repeat(settings, () =>
    {
        var watch = Stopwatch.StartNew();
        Programs.Run(Programs.Own, "--side", "nothing");
        return watch.Elapsed;
    });

    /// <summary>The largest resident memory, in 10⁶ bytes, of one epoch of both models and all the pictures after it.</summary>
    public static double PeakMemory(Settings settings)
    {
        // A process that waits for the processor takes the same memory, so this needs no quiet.
        var info = Programs.StartInfo(
            Programs.Autoencoder,
            [
                "train", "--model", settings.IsQuick ? "fc" : "both", "--accelerator", "cpu", "--threads", Text(settings.Threads),
                "--dataset", settings.Dataset, "--epochs", "1", "--output", Path.Combine(settings.Scratch, "memory"), "--quiet", "--json",
            ]);
        using var process = Process.Start(info)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var most = 0.0;
        // The system forgets it with the process; it only ever grows.
        while (!process.WaitForExit(TimeSpan.FromMilliseconds(5)))
            most = Math.Max(most, HighWater(process));
        output.Wait();
        return process.ExitCode == 0 ? most : throw new InvalidOperationException($"`autoencoder train` ended with exit code {process.ExitCode}");
    }

    private static double HighWater(Process process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process.Id}/status").FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : 1024e-6 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0; // it has just ended
        }
    }

    private static Spread Repeat(Settings settings, Func<TimeSpan> measure) =>
        Spread.Of([.. Enumerable.Range(0, settings.IsQuick ? 3 : 7).Select(_ => measure().TotalMilliseconds)]);

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
