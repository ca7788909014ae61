using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using AutoencoderGpu.App.Data;
using AutoencoderGpu.Benchmarks.Plot;
using AutoencoderGpu.Kernels.Cpu;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.Benchmarks;

/// <summary>Milliseconds from the start of the program, as it is built or as it is published, to its first training step.</summary>
internal sealed record Start(Network Network, string Dataset, bool IsPublished, Spread Milliseconds);

/// <summary>Writes <c>results/PROCESSOR.md</c> and its picture.</summary>
internal sealed class Report(
    Settings settings,
    IReadOnlyList<Comparison> comparisons,
    IReadOnlyList<Start> starts,
    Spread runtime,
    double memory,
    IReadOnlyList<ModelTiming> timings)
{
    private const double StartGoal = 1000, MemoryGoal = 300;

    private readonly StringBuilder _text = new();

    /// <summary>A comparison in one line, for the terminal.</summary>
    public static string Line(Comparison comparison) => Format(
        $"{comparison.Case.Title}: libtorch {Times(comparison, pair => pair.Torch)}, this program {Times(comparison, pair => pair.Own)}, ×{Text(comparison.Ratio, "0.00")}, goal ×{comparison.Case.Goal}; others had {comparison.Others:0 %}; losses agree to {comparison.LossDifference:0.0e0}");

    /// <summary>Writes the files.</summary>
    /// <returns>The path of the text.</returns>
    public string Save()
    {
        Directory.CreateDirectory(settings.Output);
        var name = Format($"{Slug(Machine.Processor)}-{settings.Threads}-threads-{(int)CpuExecutor.DefaultSimd}-bit");
        var picture = name + "-roofline.png";
        RooflinePlot.Save(
            Path.Combine(settings.Output, picture),
            [.. timings.Where(timing => timing.BatchSize == timings[0].BatchSize)],
            Format($"{Machine.Processor}, {settings.Threads} threads, {(int)CpuExecutor.DefaultSimd}-bit vectors · a training step of {timings[0].BatchSize} images"));
        WriteHead();
        WriteComparisons();
        WriteWholeProgram();
        WriteRuns();
        Add("## Operations", "");
        Add(Format($"![Each operation under the measured roofs]({picture})"), "");
        Add(
            Format($"Multiply-adds in registers reach {timings[0].PeakGflops:0} GFLOP/s with {settings.Threads} threads, which is the peak meant below;"),
            Format($"STREAM's triad moves {timings[0].CacheGbPerSecond:0} GB/s within the second caches and {timings[0].MemoryGbPerSecond:0.0} GB/s in memory. FLOPs are those of the plain"),
            "algorithm and bytes those of every operand read and every result written once, so an algorithm that needs fewer operations may",
            "exceed the peak, and one whose operands lie in caches the memory.",
            "");
        foreach (var timing in timings)
            WriteOperations(timing);
        var path = Path.Combine(settings.Output, name + ".md");
        File.WriteAllText(path, _text.ToString().TrimEnd() + "\n");
        return path;
    }

    private void WriteHead()
    {
        Add(Format($"# {Machine.Processor}, {settings.Threads} threads"), "");
        Add("| | |", "|---|---|");
        Row("processor", Format($"{Machine.Processor}, {Environment.ProcessorCount} cores, of which {settings.Threads} are used"));
        Row("vectors", Format($"{(int)CpuExecutor.DefaultSimd} bits"));
        Row("system", $"{Machine.System}, .NET {Environment.Version}, {RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant()}");
        Row("rival", comparisons[0].Torch.Split(',')[0] + ", TorchSharp " + typeof(TorchSharp.torch).Assembly.GetName().Version!.ToString(3));
        Row("images", $"{settings.Dataset}, {SyntheticDigits.TrainCount:N0} to train and {SyntheticDigits.TestCount:N0} to test");
        Row("commit", Machine.Commit);
        Row("date", DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture));
        Row("command", Format($"`--threads {settings.Threads} --seconds {settings.Seconds} --repeat {settings.Repeats}{(settings.IsQuick ? " --quick" : "")}`"));
        Add("");
    }

    private void WriteComparisons()
    {
        Add("## Beside libtorch", "");
        Add("| | libtorch | this program | times as fast | goal | held |", "|---|--:|--:|--:|--:|---|");
        foreach (var runs in comparisons.GroupBy(comparison => comparison.Case))
        {
            var middle = runs.OrderBy(run => run.Ratio.Median).ElementAt((runs.Count() - 1) / 2);
            var held = runs.Count(run => run.Holds);
            Row(
                runs.Key.Title,
                Times(middle, pair => pair.Torch),
                Times(middle, pair => pair.Own),
                $"**{Text(middle.Ratio, "0.00")}**",
                Format($"{runs.Key.Goal}"),
                Format($"{(held == runs.Count() ? "yes" : "no")}, {held} of {runs.Count()}"));
        }

        Add("");
        Add("Medians of alternating blocks, least and greatest in parentheses, of the run with the middle ratio. A training step is all of");
        Add(Format($"it, from gathering to the update. Both sides began with the same values; their losses agree to {comparisons.Max(run => run.LossDifference):0.0e0}."), "");
    }

    private void WriteWholeProgram()
    {
        Add("## The whole program", "");
        Add("| | measured | goal | held |", "|---|--:|--:|---|");
        foreach (var start in starts)
        {
            var data = start.Dataset == SyntheticDigits.Name ? "its images drawn at once" : "all of MNIST read and verified first";
            Row(
                $"{start.Network.Title}, start {(start.IsPublished ? "of the published program " : "")}to the first training step, {data}",
                Text(start.Milliseconds, "0") + " ms",
                Format($"{StartGoal} ms"),
                start.Milliseconds.Median <= StartGoal ? "yes" : "no");
        }

        Row("of which .NET's runtime, to start a program that does nothing", Text(runtime, "0") + " ms", "", "");
        Row(
            $"peak resident memory of training {(settings.IsQuick ? "FC" : "both models")} with all images",
            Format($"{memory:0} MB"),
            Format($"{MemoryGoal} MB"),
            memory <= MemoryGoal ? "yes" : "no");
        Add("");
    }

    private void WriteRuns()
    {
        Add("## Every run", "");
        Add("| | run | libtorch | this program | times as fast | others |", "|---|--:|--:|--:|--:|--:|");
        foreach (var runs in comparisons.GroupBy(comparison => comparison.Case))
        {
            foreach (var (index, run) in runs.Index())
            {
                Row(
                    runs.Key.Title,
                    Format($"{index + 1}"),
                    Times(run, pair => pair.Torch),
                    Times(run, pair => pair.Own),
                    Text(run.Ratio, "0.00"),
                    Format($"{run.Others:0.0 %}{(run.IsDisturbed ? ", disturbed" : "")}"));
            }
        }

        Add("", "Others: the share of the processors' time that went to anything else, in the pair of blocks where it was greatest. A run that was", "disturbed holds no goal.", "");
        foreach (var run in comparisons.DistinctBy(comparison => comparison.Case))
            Add($"- {run.Case.Title}: {run.Torch}; {run.Own}");
        Add("");
    }

    private void WriteOperations(ModelTiming timing)
    {
        Add(Format($"### {timing.Title}, mini-batches of {timing.BatchSize}"), "");
        Add("| operation | input | output | µs | GFLOP/s | of peak | GB/s |", "|---|---|---|--:|--:|--:|--:|");
        foreach (var operation in timing.Operations)
        {
            Row(
                operation.Operation,
                operation.Input,
                operation.Output,
                Format($"{operation.Us:0.0}"),
                operation.Flops > 0 ? Format($"{operation.Gflops:0.0}") : "",
                operation.PeakShare is { } share ? Format($"{share:0.0 %}") : "",
                Format($"{operation.GbPerSecond:0.0}"));
        }

        Row(
            "**the whole step**",
            "",
            "",
            Format($"**{timing.UsPerStep:0.0}**"),
            Format($"**{timing.Gflops:0.0}**"),
            Format($"**{timing.PeakShare:0.0 %}**"),
            Format($"**{timing.GbPerSecond:0.0}**"));
        Add("");
    }

    private void Add(params string[] lines)
    {
        foreach (var line in lines)
            _text.Append(line).Append('\n');
    }

    private void Row(params string[] cells) => Add($"| {string.Join(" | ", cells)} |");

    private static string Times(Comparison comparison, Func<Pair, double> side)
    {
        var spread = Spread.Of(comparison.Pairs.Select(side));
        return comparison.Case.IsTraining
            ? Text(spread, "0") + " µs"
            : Text(new(spread.Median / 1e3, spread.Least / 1e3, spread.Greatest / 1e3), "0") + " ms";
    }

    private static string Text(Spread spread, string format) => string.Create(
        CultureInfo.InvariantCulture,
        $"{spread.Median.ToString(format, CultureInfo.InvariantCulture)} ({spread.Least.ToString(format, CultureInfo.InvariantCulture)}–{spread.Greatest.ToString(format, CultureInfo.InvariantCulture)})");

    private static string Format(FormattableString text) => FormattableString.Invariant(text);

    /// <summary>Lower-case letters and digits, with single hyphens for all else.</summary>
    private static string Slug(string text) => string.Join(
        '-',
        new string([.. text.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : ' ')]).Split(
            ' ', StringSplitOptions.RemoveEmptyEntries));
}
