using System.Diagnostics;
using System.Globalization;

namespace AutoencoderGpu.Benchmarks.Sides;

/// <summary>
/// A side in a process of its own, which sleeps while it is not asked: the threads of two libraries in one process would spin
/// beside each other's work.
/// </summary>
internal sealed class SideProcess : IDisposable
{
    private readonly Process _process;

    private SideProcess(Process process)
    {
        _process = process;
        Description = Read();
    }

    /// <summary>What computes, for people.</summary>
    public string Description { get; }

    /// <summary>The time that its threads have had on processors.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>This program.</summary>
    public static SideProcess StartOwn(Case work, Settings settings) => Start("own", work, settings, []);

    /// <summary>
    /// libtorch, with a C library that keeps freed memory instead of returning it after every step, which libtorch gains by, and
    /// with .NET's own way to compile.
    /// </summary>
    public static SideProcess StartTorch(Case work, Settings settings) => Start("torch", work, settings, new()
    {
        ["MALLOC_MMAP_THRESHOLD_"] = "4294967296",
        ["MALLOC_TRIM_THRESHOLD_"] = "8589934592",
        ["MALLOC_TOP_PAD_"] = "67108864",
        ["DOTNET_TieredPGO"] = "1",
        ["DOTNET_TC_QuickJitForLoops"] = "1",
    });

    /// <summary>The losses of the next units of work.</summary>
    public double[] Losses(int units) =>
        [.. Ask($"losses {units}").Split(' ').Select(text => double.Parse(text, CultureInfo.InvariantCulture))];

    /// <summary>Microseconds of a unit of work when it works for a time.</summary>
    public double Block(double seconds) =>
        double.Parse(Ask(string.Create(CultureInfo.InvariantCulture, $"block {seconds}")), CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(10)))
            _process.Kill();
        _process.Dispose();
    }

    private static SideProcess Start(string side, Case work, Settings settings, Dictionary<string, string> environment)
    {
        var info = Programs.StartInfo(
            Programs.Own,
            [
                "--side", side, "--case", work.Key, "--weights", settings.InitialWeights(work.Network), "--dataset", settings.Dataset,
                "--threads", settings.Threads.ToString(CultureInfo.InvariantCulture),
            ]);
        info.RedirectStandardInput = true;
        foreach (var (name, value) in environment)
            info.Environment[name] = value;
        return new(Process.Start(info)!);
    }

    private string Ask(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
        return Read();
    }

    private string Read() => _process.StandardOutput.ReadLine()
        ?? throw new InvalidOperationException("a side has ended before its work; what it said is above");
}
