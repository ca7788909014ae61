using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using AutoencoderGpu.App.Data;
using AutoencoderGpu.App.Training;
using AutoencoderGpu.Kernels.Operations;
using Spectre.Console;

namespace AutoencoderGpu.App.Commands;

/// <summary>Trains, from arguments to the run's folder.</summary>
internal static class TrainCommand
{
    private static readonly Option<double> _learningRate = Numbers.One(
        "--learning-rate",
        "Step size; by default " + string.Join(", ", Optimiser.All.Select(optimiser => FormattableString.Invariant($"{optimiser.LearningRate} of {optimiser.Name}"))),
        "rate",
        1.0,
        Numbers.ParseRate,
        "a number from 1e-45 to 3.4e38");

    private static readonly Option<ulong> _seed = Numbers.One(
        "--seed", "Of initial values and of the order of images", "n", 1ul, Numbers.ParseSeed, "a whole number from 0 up");

    private static readonly Option<bool> _summary = new("--summary") { Description = "Only show the models' layers, with output shapes and parameters" };

    public static Command Create()
    {
        var command = new Command("train", "Trains the models and writes weights, metrics, plots and pictures into a run folder.");
        AddTo(command);
        return command;
    }

    /// <summary>Makes a command train; the root command does, too.</summary>
    public static void AddTo(Command command) => command.With([.. TrainingArguments.All(_learningRate, _seed), _summary]).SetWork(RunAsync);

    private static async Task RunAsync(ParseResult parsed, Terminal terminal, StopSignals signals)
    {
        var total = Stopwatch.StartNew();
        var start = TrainingArguments.StartOf(parsed);
        var (options, folder) = start == RunStart.Resume ? Resumed(parsed) : Fresh(parsed);
        // What is wrong with a model is said before any data is read.
        var networks = ModelChoice.Check(options, DataSource.ImageShape);
        if (parsed.GetValue(_summary))
        {
            ModelReport.Show(terminal, networks);
            return;
        }

        folder.Check(start);
        using var executor = CommonOptions.Open(options, terminal);
        var data = await CommonOptions.LoadDataAsync(
            new(options.Dataset, options.Data, options.TrainLimit, options.TestLimit), terminal, signals.Token);
        terminal.Say(RunReport.Opening(data, executor));
        var run = new TrainingRun(options, folder, executor, data, new Floors(data), terminal);
        var summary = run.Run(start, signals);
        RunReport.Show(terminal, summary, run.Histories(), options.FollowReference(data));
        terminal.Say($"{total.Elapsed.TotalSeconds:0.0} s in all; weights, plots and pictures are in [bold]{Markup.Escape(folder.Path)}[/]");
        if (terminal.IsJson)
            terminal.WriteJson(summary.ToJson());
    }

    private static (TrainingOptions Options, RunFolder Folder) Fresh(ParseResult parsed)
    {
        var options = Parse(parsed, new() { LearningRate = TrainingArguments.UsualRate(parsed) });
        return (options, parsed.GetValue(TrainingArguments.Output) is { } named
            ? new(named)
            : new(RunFolder.DefaultPath(options.Seed.ToString(CultureInfo.InvariantCulture)), isDefault: true));
    }

    private static (TrainingOptions Options, RunFolder Folder) Resumed(ParseResult parsed)
    {
        var folder = new RunFolder(parsed.GetRequiredValue(TrainingArguments.Output)!);
        var recorded = RunRecord.Read(folder).Options;
        var options = Parse(parsed, recorded);
        TrainingArguments.CheckResumed(folder.Path, options, recorded);
        return (options, folder);
    }

    private static TrainingOptions Parse(ParseResult parsed, TrainingOptions standard) => TrainingArguments.Parse(parsed, standard) with
    {
        LearningRate = TrainingArguments.Given(parsed, _learningRate, standard.LearningRate),
        Seed = TrainingArguments.Given(parsed, _seed, standard.Seed),
    };
}
