using System.CommandLine;
using System.Diagnostics;
using AutoencoderGpu.App.Data;
using AutoencoderGpu.App.Reports;
using AutoencoderGpu.App.Training;
using Spectre.Console;

namespace AutoencoderGpu.App.Commands;

/// <summary>Trains with several learning rates or seeds, and sets the results side by side.</summary>
internal static class CompareCommand
{
    private static readonly Option<double[]> _learningRates = Numbers.List(
        "--learning-rates", "Step sizes to compare", "0.1,1", [1.0], Numbers.RatesOf);

    private static readonly Option<ulong[]> _seeds = Numbers.List(
        "--seeds", "Seeds of initial values and of the order of images to compare", "1-10,42", [1ul], Numbers.SeedsOf);

    public static Command Create()
    {
        var command = new Command("compare", """
            Trains models with several learning rates or seeds, and sets the results side by side in a table, a plot and comparison.csv.
            --resume goes on with a comparison that was stopped, and adds the models, rates and seeds that are given to those that it has.

            Examples:
              autoencoder compare --learning-rates 0.1,1
              autoencoder compare --model 784-32-784 --model 784-64-784 --optimizer adam
              autoencoder compare --model conv --seeds 1-50 --train-limit 10000 --epochs 1
            """);
        command.With(TrainingArguments.All(_learningRates, _seeds)).SetWork(RunAsync);
        return command;
    }

    private static async Task RunAsync(ParseResult parsed, Terminal terminal, StopSignals signals)
    {
        var total = Stopwatch.StartNew();
        var start = TrainingArguments.StartOf(parsed);
        var named = parsed.GetValue(TrainingArguments.Output);
        var folder = named ?? RunFolder.DefaultPath("compare");
        var (options, rates, seeds, begun) = start == RunStart.Resume ? Resumed(parsed, folder) : Fresh(parsed);
        ModelChoice.Check(options, DataSource.ImageShape);
        if (named is not null)
            Comparison.Check(folder, start);
        using var executor = CommonOptions.Open(options, terminal);
        var data = await CommonOptions.LoadDataAsync(
            new(options.Dataset, options.Data, options.TrainLimit, options.TestLimit), terminal, signals.Token);
        terminal.Say(RunReport.Opening(data, executor));
        var comparison = new Comparison(options, rates, seeds, folder, named is null, executor, data, terminal) { Begun = begun };
        var summary = comparison.Run(start, signals);
        comparison.Show(summary);
        terminal.Say($"{total.Elapsed.TotalSeconds:0.0} s in all; the plot, comparison.csv and every run are in [bold]{Markup.Escape(comparison.Folder)}[/]");
        if (terminal.IsJson)
            terminal.WriteJson(summary.ToJson());
    }

    private static (TrainingOptions Options, double[] Rates, ulong[] Seeds, ComparisonSummary? Begun) Fresh(ParseResult parsed)
    {
        var (options, rates, seeds) = Parse(parsed, new(), [TrainingArguments.UsualRate(parsed)], [1ul]);
        return (options, rates, seeds, null);
    }

    private static (TrainingOptions Options, double[] Rates, ulong[] Seeds, ComparisonSummary? Begun) Resumed(ParseResult parsed, string folder)
    {
        var (recorded, begun) = Comparison.Read(folder);
        var resumed = Parse(parsed, recorded, [.. begun.LearningRates], [.. begun.Seeds]);
        TrainingArguments.CheckResumed(folder, resumed.Options, recorded, "--learning-rates, --seeds, ");
        // What is given is compared with what was there already.
        var model = ModelChoice.Union(recorded.Model, resumed.Options.Model, DataSource.ImageShape, recorded.Upsample);
        return (resumed.Options with { Model = model }, [.. begun.LearningRates.Union(resumed.Rates)], [.. begun.Seeds.Union(resumed.Seeds)], begun);
    }

    private static (TrainingOptions Options, double[] Rates, ulong[] Seeds) Parse(
        ParseResult parsed, TrainingOptions standard, double[] rates, ulong[] seeds) => (
            TrainingArguments.Parse(parsed, standard),
            TrainingArguments.Given(parsed, _learningRates, rates),
            TrainingArguments.Given(parsed, _seeds, seeds));
}
