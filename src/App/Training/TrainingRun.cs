using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using AutoencoderGpu.App.Commands;
using AutoencoderGpu.App.Data;
using AutoencoderGpu.App.Reports;
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Models;
using Spectre.Console;

namespace AutoencoderGpu.App.Training;

/// <summary>The <c>train</c> command's work: data, both models one after the other, and all files of the run folder.</summary>
internal sealed class TrainingRun(TrainingOptions options, RunFolder folder, Terminal terminal)
{
    private readonly List<(EpochRecord[] History, ModelSummary? Summary)> _results = [];

    public async Task RunAsync(bool resume, CancellationToken cancellation)
    {
        var total = Stopwatch.StartNew();
        using var executor = CommonOptions.Open(options.Accelerator, options.Device, options.Threads);
        var data = await CommonOptions.LoadDataAsync(
            new(options.Dataset, options.Data, options.TrainLimit, options.TestLimit), terminal, cancellation);
        // Written at once: --resume reads the options from it, however early the run is stopped.
        Summary(executor, data).Save(folder.Summary);
        terminal.Say($"Training on [bold]{Markup.Escape(data.Name)}[/] ({Markup.Escape(data.Origin)}): "
            + $"{data.Train.Count:N0} images, {data.Test.Count:N0} to test, with {Markup.Escape(executor.Description)}");
        try
        {
            foreach (var network in Networks())
                Train(executor, network, data, resume, cancellation);
        }
        catch (Exception e) when (e is OperationCanceledException or UserError)
        {
            Write(executor, data);
            if (e is OperationCanceledException)
                throw new UserError(ExitCode.Interrupted, $"saved; go on with --resume --output {folder.Path}", e);
            throw;
        }

        var summary = Write(executor, data);
        ShowResults(data, total.Elapsed);
        if (terminal.IsJson)
            Console.Out.Write(summary.ToJson());
    }

    private IEnumerable<Network> Networks()
    {
        if (options.Model is ModelChoice.Fc or ModelChoice.Both)
            yield return Network.FullyConnected;
        if (options.Model is ModelChoice.Conv or ModelChoice.Both)
            yield return Network.Convolutional(options.Upsample);
    }

    private void Train(Executor executor, Network network, DataSet data, bool resume, CancellationToken cancellation)
    {
        using var trainer = new ModelTrainer(executor, network, options, data, folder);
        var floor = LossFloor.Of(data.Test).Floor;
        var counts = CountsOf(trainer.Model);
        terminal.Say($"[bold]{network.Title}[/] {counts.Total:N0} parameters ({counts.Encoder:N0} encoder, {counts.Decoder:N0} decoder), "
            + $"{Protocol.Of(options.Protocol, network)}, learning rate {Text(options.LearningRate)}, mini-batches of {options.BatchSize}, seed {options.Seed}");
        try
        {
            using var progress = new ProgressLine(terminal, network.Title, options.Epochs);
            trainer.Run(
                resume,
                progress.Show,
                epoch =>
                {
                    progress.Clear();
                    Say(epoch, floor, data);
                    Metrics.Write(folder.Metrics, [.. _results.SelectMany(result => result.History), .. trainer.History]);
                },
                cancellation);
        }
        finally
        {
            _results.Add(([.. trainer.History], SummaryOf(executor, trainer, floor)));
        }

        // The pictures show the best weights, as does the summary.
        WeightsFile.Load(folder.BestWeights(network.Name), trainer.Model);
        var best = trainer.Best!;
        ReconstructionMontage.Save(
            folder.Reconstructions(network.Name),
            Reconstructions.OfTestImages(executor, trainer.Model, data.Test),
            network.Title == "FC" ? "Fully connected autoencoder" : "Convolutional autoencoder",
            $"{DataTitle(data)} test images · epoch {best.Epoch} · test loss {Text(best.TestLoss)}",
            data.IsFallback);
    }

    private void Say(EpochRecord epoch, double floor, DataSet data)
    {
        var reference = ShowsReference(data) ? ReferenceCurves.Of(epoch.Model).FirstOrDefault(record => record.Epoch == epoch.Epoch) : null;
        var published = reference is null
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $"  reference {reference.TestLoss:0.00000} ({epoch.TestLoss - reference.TestLoss:+0.00000;−0.00000})");
        terminal.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"  epoch {epoch.Epoch,2}  train {epoch.TrainLoss:0.00000}  test [bold]{epoch.TestLoss:0.00000}[/]  over the floor {epoch.TestLoss - floor:0.00000}{published}  {epoch.Seconds:0.0} s"));
    }

    /// <summary>Writes all that is known so far.</summary>
    private RunSummary Write(Executor executor, DataSet data)
    {
        EpochRecord[] epochs = [.. _results.SelectMany(result => result.History)];
        var summary = Summary(executor, data);
        summary.Save(folder.Summary);
        if (epochs.Length == 0)
            return summary;
        Metrics.Write(folder.Metrics, epochs);
        LossPlot.Save(folder.LossCurves, epochs, new(DataTitle(data), options.LearningRate, options.BatchSize, options.Seed)
        {
            IsFallback = data.IsFallback,
            Floor = LossFloor.Of(data.Test).Floor,
            ShowReference = ShowsReference(data),
            Remark = options.Protocol.ToString().ToLowerInvariant() + " protocol",
        });
        return summary;
    }

    /// <summary>Whether the run follows the reference's protocol closely enough for its curves to be compared.</summary>
    private bool ShowsReference(DataSet data) => data.Name == Mnist.Name
        && options is { BatchSize: 10, LearningRate: 1, TrainLimit: null, TestLimit: null, Upsample: Interpolation.Bilinear };

    private void ShowResults(DataSet data, TimeSpan elapsed)
    {
        var table = Terminal.Table("model", ">parameters", ">best test loss", ">epoch", ">over the floor", ">reference", ">last train loss", ">µs/step");
        foreach (var summary in _results.Select(result => result.Summary).OfType<ModelSummary>())
        {
            var reference = ShowsReference(data) ? ReferenceCurves.Of(summary.Model).Min(record => record.TestLoss) : double.NaN;
            table.AddRow(
                summary.Model,
                summary.Parameters.Total.ToString("N0", CultureInfo.InvariantCulture),
                Text(summary.BestTestLoss),
                summary.BestEpoch.ToString(CultureInfo.InvariantCulture),
                Text(summary.Excess),
                double.IsNaN(reference) ? "–" : Text(reference),
                Text(summary.TrainLoss),
                summary.UsPerStep.ToString("0", CultureInfo.InvariantCulture));
        }

        terminal.Show(table);
        terminal.Say($"{elapsed.TotalSeconds:0.0} s in all; weights, plots and pictures are in [bold]{Markup.Escape(folder.Path)}[/]");
    }

    private RunSummary Summary(Executor executor, DataSet data) => new(
        new(
            typeof(TrainingRun).Assembly.GetName().Version!.ToString(3),
            Environment.Version.ToString(),
            typeof(ILGPU.Context).Assembly.GetName().Version!.ToString(3),
            Commit),
        new(Name(executor), executor.Description),
        options.ToJson(),
        new(data.Name, data.Origin, data.IsFallback, data.Train.Count, data.Test.Count),
        [.. _results.Select(result => result.Summary).OfType<ModelSummary>()]);

    private ModelSummary? SummaryOf(Executor executor, ModelTrainer trainer, double floor) => trainer.Best is not { } best ? null : new(
        trainer.Model.Network.Name,
        Name(executor),
        CountsOf(trainer.Model),
        trainer.History[^1].TrainLoss,
        trainer.History[^1].TestLoss,
        best.TestLoss,
        best.Epoch,
        floor,
        [.. trainer.History.Select(epoch => epoch.Seconds)],
        trainer.MicrosecondsPerStep,
        trainer.TotalSteps,
        options.BatchSize);

    private static ParameterCounts CountsOf(Model model) => new(
        model.Parameters.Where(parameter => parameter.IsEncoder).Sum(parameter => parameter.Count),
        model.Parameters.Where(parameter => !parameter.IsEncoder).Sum(parameter => parameter.Count));

    private static string DataTitle(DataSet data) => data.Name == Mnist.Name ? "MNIST" : "Synthetic digits";

    private static string Name(Executor executor) => executor.Kind.ToString().ToLowerInvariant();

    /// <summary>The source's commit, which the SDK puts behind a plus into the informational version.</summary>
    private static string? Commit => typeof(TrainingRun).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
        ?.InformationalVersion.Split('+') is [_, var commit] ? commit : null;

    private static string Text(double value) => value.ToString("0.0####", CultureInfo.InvariantCulture);
}
