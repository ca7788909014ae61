using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using AutoencoderGpu.App.Data;
using AutoencoderGpu.App.Training;
using AutoencoderGpu.Kernels.Devices;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Models;
using Spectre.Console;

namespace AutoencoderGpu.App.Commands;

/// <summary>Times training steps, and each of their instructions alone.</summary>
internal static class BenchCommand
{
    private const int Rounds = 7;

    private static readonly Option<int?> _steps = Numbers.Limit(
        "--steps", "Training steps of each of seven rounds; default as many as take about half a second");

    private static readonly Option<bool> _wholeSteps = new("--whole-steps") { Description = "Without each instruction by itself" };

    public static Command Create()
    {
        var command = new Command("bench", "Times training steps on synthetic digits: per model, and each instruction by itself.")
            .With([.. TrainingArguments.OfModel, _steps, _wholeSteps, CommonOptions.BatchSize, .. CommonOptions.Hardware]);
        command.SetWork((parsed, terminal, signals) =>
        {
            using var executor = CommonOptions.Open(parsed, terminal);
            var options = TrainingArguments.Parse(parsed, new());
            var networks = options.Networks(SyntheticDigits.Generate(1, 1, 1));
            ModelChoice.Check(options, DataSource.ImageShape);
            var roofs = executor.MeasureRoofline();
            var results = new JsonArray();
            foreach (var (_, network) in networks)
                results.Add(Run(executor, roofs, network, options, parsed, terminal, signals.Token));

            if (terminal.IsJson)
                terminal.WriteJson(new JsonObject { ["models"] = results }.ToJsonString());
            return Task.CompletedTask;
        });
        return command;
    }

    private static JsonObject Run(
        Executor executor, Roofline? roofs, Network network, TrainingOptions options, ParseResult parsed, Terminal terminal, CancellationToken cancellation)
    {
        var batchSize = parsed.GetValue(CommonOptions.BatchSize);
        var steps = parsed.GetValue(_steps);
        // Whole mini-batches, small ones in whole CUDA graphs of 32 steps, and the instructions of the default protocol.
        var batches = batchSize > 100 ? Math.Max(1, 1000 / batchSize) : 32 * Math.Max(1, 31 / batchSize);
        var digits = SyntheticDigits.Generate(1, batchSize * batches, 1).Train;
        using var model = new Model(executor, network, batchSize, Protocol.Of(options, network).MaximalGradientNorm, options.OptimiserOf());
        using var feed = executor.CreateFeed(digits.Pixels, network.Input.Size, batchSize);
        model.Initialise(1);
        // At a rate of 0 every round computes the same; the arithmetic is that of any other rate.
        feed.SetLearningRates(new float[feed.Steps]);
        var training = model.Compiled.Training;
        var whole = Time(model, training, feed, steps, cancellation);
        var cost = CostOf(training, batchSize);
        var table = Terminal.Table(
            "instruction", "input", "output", ">µs", ">share", ">MFLOP", ">GFLOP/s", ">of peak", ">MB", ">GB/s");
        table.Title = new TableTitle(Markup.Escape(string.Create(
            CultureInfo.InvariantCulture,
            $"{network.Title}, mini-batches of {batchSize}, {executor.Description}: {whole.Median:0.0} µs/step (best {whole.Best:0.0}), {1e6 / whole.Median:N0} steps/s, {Rate(cost.Flops, whole.Median):0.0} GFLOP/s")));
        if (roofs is not null)
        {
            table.Caption = new TableTitle(string.Create(
                CultureInfo.InvariantCulture,
                $"measured peak: {roofs.Gflops:0.0} GFLOP/s, of which the whole step reaches {Share(cost, whole.Median, roofs):0.0 %}; {roofs.CacheGBPerSecond:0.0} GB/s from caches, {roofs.MemoryGBPerSecond:0.0} GB/s from memory"));
        }

        var operations = new JsonArray();
        foreach (var instruction in parsed.GetValue(_wholeSteps) ? [] : training.Instructions)
        {
            var alone = Time(model, new InstructionList(instruction), feed, steps, cancellation).Median;
            var work = instruction.Cost(batchSize);
            table.AddRow([
                instruction.Name,
                instruction.Maps.Input.ToString(),
                instruction.Maps.Output.ToString(),
                Text(alone),
                Percent(alone / whole.Median),
                work.Flops > 0 ? Text(work.Flops / 1e6) : "–",
                work.Flops > 0 ? Text(Rate(work.Flops, alone)) : "–",
                Share(work, alone, roofs) is { } share ? Percent(share) : "–",
                Text(work.Bytes / 1e6),
                Text(Rate(work.Bytes, alone))]);
            operations.Add((JsonNode)new JsonObject
            {
                ["operation"] = instruction.Name,
                ["input"] = instruction.Maps.Input.ToString(),
                ["output"] = instruction.Maps.Output.ToString(),
                ["us"] = alone,
                ["gflops"] = Rate(work.Flops, alone),
                ["peak_share"] = Share(work, alone, roofs),
                ["gb_per_second"] = Rate(work.Bytes, alone),
                ["flops"] = work.Flops,
                ["bytes"] = work.Bytes,
            });
        }

        terminal.Show(table);
        return new()
        {
            ["model"] = network.Name,
            ["accelerator"] = Accelerators.OptionOf(executor.Kind),
            ["device"] = executor.Description,
            ["steps_per_launch"] = executor.StepsPerLaunch,
            ["batch_size"] = batchSize,
            ["steps"] = whole.Steps,
            ["us_per_step"] = whole.Median,
            ["us_per_step_best"] = whole.Best,
            ["steps_per_second"] = 1e6 / whole.Median,
            ["gflops"] = Rate(cost.Flops, whole.Median),
            ["peak_share"] = Share(cost, whole.Median, roofs),
            ["gb_per_second"] = Rate(cost.Bytes, whole.Median),
            ["peak_gflops"] = roofs?.Gflops,
            ["cache_gb_per_second"] = roofs?.CacheGBPerSecond,
            ["memory_gb_per_second"] = roofs?.MemoryGBPerSecond,
            ["dataset"] = SyntheticDigits.Name,
            ["flops"] = cost.Flops,
            ["bytes"] = cost.Bytes,
            ["operations"] = operations,
        };
    }

    private static Cost CostOf(InstructionList program, int batchSize) => program.Instructions
        .Aggregate(default(Cost), (sum, instruction) => sum + instruction.Cost(batchSize));

    /// <summary>10⁹ a second.</summary>
    private static double Rate(long amount, double microseconds) => amount / microseconds / 1e3;

    /// <summary>
    /// The share of the measured peak, null where there is no arithmetic or no peak. Operations are counted as the plain algorithm
    /// has them, so one that does with fewer may reach more than all of it.
    /// </summary>
    private static double? Share(Cost cost, double microseconds, Roofline? roofs) =>
        cost.Flops > 0 ? Rate(cost.Flops, microseconds) / roofs?.Gflops : null;

    private static (double Median, double Best, int Steps) Time(
        Model model, InstructionList program, Feed feed, int? steps, CancellationToken cancellation)
    {
        var count = steps ?? 1;
        var times = new List<double>();
        Repeat(model, program, feed, count);
        while (steps is null && count < 1 << 20)
        {
            var microseconds = Repeat(model, program, feed, count);
            if (microseconds > 50_000)
                break;
            count *= 2;
        }

        for (var round = 0; round < Rounds; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            times.Add(Repeat(model, program, feed, count) / count);
        }

        times.Sort();
        return (times[Rounds / 2], times[0], count);
    }

    /// <summary>Microseconds for a number of steps, the first steps of the epoch again and again.</summary>
    private static double Repeat(Model model, InstructionList program, Feed feed, int steps)
    {
        var watch = Stopwatch.StartNew();
        for (var done = 0; done < steps; done += feed.Steps)
            model.Run(program, feed, 0, Math.Min(feed.Steps, steps - done));
        feed.ReadLosses(0, 1);
        return watch.Elapsed.TotalMicroseconds;
    }

    private static string Percent(double value) => value.ToString("0.0 %", CultureInfo.InvariantCulture);

    private static string Text(double value) => value.ToString("0.0", CultureInfo.InvariantCulture);
}
