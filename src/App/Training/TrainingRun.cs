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
    public async Task RunAsync(RunStart start, CancellationToken cancellation)
    {
        var total = Stopwatch.StartNew();
        folder.Check(start);
        using var executor = CommonOptions.Open(options.Accelerator, options.Device, options.Threads);
        var data = await CommonOptions.LoadDataAsync(
            new(options.Dataset, options.Data, options.TrainLimit, options.TestLimit), terminal, cancellation);
        // Only now that nothing is missing is an old run replaced.
        var dataset = new DatasetSummary(data.Name, data.Origin, data.IsFallback, data.Train.Count, data.Test.Count);
        folder.Create(start, dataset);
        // Written at once: --resume reads the options from it, however early the run is stopped.
        Summary(executor, data, dataset).Save(folder.Summary);
        terminal.Say($"Training on [bold]{Markup.Escape(data.Name)}[/] ({Markup.Escape(data.Origin)}): "
            + $"{data.Train.Count:N0} images, {data.Test.Count:N0} to test, with {Markup.Escape(executor.Description)}");
        try
        {
            foreach (var network in Network.All(options.Upsample))
            {
                if (options.Model == ModelChoice.Both || string.Equals(network.Name, options.Model.ToString(), StringComparison.OrdinalIgnoreCase))
                    Train(executor, network, data, start == RunStart.Resume, cancellation);
            }
        }
        catch (OperationCanceledException e)
        {
            Write(executor, data, dataset);
            throw new UserError(ExitCode.Interrupted, $"saved; go on with --resume --output {folder.Path}", e);
        }
        catch (UserError)
        {
            Write(executor, data, dataset);
            throw;
        }

        var summary = Write(executor, data, dataset);
        ShowResults(summary, data, total.Elapsed);
        if (terminal.IsJson)
            Console.Out.Write(summary.ToJson());
    }

    private void Train(Executor executor, Network network, DataSet data, bool resume, CancellationToken cancellation)
    {
        using var trainer = new ModelTrainer(executor, network, options, data, folder);
        var floor = LossFloor.Of(data.Test);
        var counts = CountsOf(trainer.Model.Parameters);
        terminal.Say($"[bold]{network.Title}[/] {counts.Total:N0} parameters ({counts.Encoder:N0} encoder, {counts.Decoder:N0} decoder), "
            + $"{Protocol.Of(options.Protocol, network)}, learning rate {Text(options.LearningRate)}, mini-batches of {trainer.Model.BatchSize}, seed {options.Seed}");
        using (var progress = new ProgressLine(terminal, network.Title, options.Epochs))
        {
            trainer.Run(
                resume,
                progress.Show,
                epoch =>
                {
                    progress.Clear();
                    Say(epoch, floor, data);
                    Metrics.Write(folder.Metrics, Histories());
                },
                cancellation);
        }

        // The pictures show the best weights, as does the summary.
        WeightsFile.Load(folder.BestWeights(network.Name), trainer.Model);
        var best = trainer.Best!;
        ReconstructionMontage.Save(
            folder.Reconstructions(network.Name),
            Reconstructions.OfTestImages(executor, trainer.Model, data.Test),
            network.FullName,
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

    /// <summary>What the checkpoints say of each model, those of an earlier sitting included; they are the one record there is.</summary>
    private IEnumerable<(Network Network, Checkpoint State)> States() =>
        from network in Network.All(options.Upsample)
        let state = Checkpoint.Read(folder.Checkpoint(network.Name))
        where state.History.Count > 0
        select (network, state);

    private EpochRecord[] Histories() => [.. States().SelectMany(entry => entry.State.History)];

    /// <summary>Writes all that is known so far.</summary>
    private RunSummary Write(Executor executor, DataSet data, DatasetSummary dataset)
    {
        var summary = Summary(executor, data, dataset);
        summary.Save(folder.Summary);
        var epochs = Histories();
        if (epochs.Length == 0)
            return summary;
        Metrics.Write(folder.Metrics, epochs);
        LossPlot.Save(folder.LossCurves, epochs, new(DataTitle(data), options.LearningRate, options.BatchSize, options.Seed)
        {
            IsFallback = data.IsFallback,
            Floor = LossFloor.Of(data.Test),
            ShowReference = ShowsReference(data),
            Remark = options.Protocol.ToString().ToLowerInvariant() + " protocol",
        });
        return summary;
    }

    /// <summary>Whether the run follows the reference's protocol closely enough for its curves to be compared.</summary>
    private bool ShowsReference(DataSet data) => data.Name == Mnist.Name
        && options is { BatchSize: 10, LearningRate: 1, TrainLimit: null, TestLimit: null, Upsample: Interpolation.Bilinear };

    private void ShowResults(RunSummary run, DataSet data, TimeSpan elapsed)
    {
        var table = Terminal.Table("model", ">parameters", ">best test loss", ">epoch", ">over the floor", ">reference", ">last train loss", ">µs/step");
        foreach (var summary in run.Models)
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

    private RunSummary Summary(Executor executor, DataSet data, DatasetSummary dataset) => new(
        new(
            typeof(TrainingRun).Assembly.GetName().Version!.ToString(3),
            Environment.Version.ToString(),
            typeof(ILGPU.Context).Assembly.GetName().Version!.ToString(3),
            Commit),
        new(Accelerators.OptionOf(executor.Kind), executor.Description),
        options.ToJson(),
        dataset,
        [.. States().Select(entry => SummaryOf(entry.Network, entry.State, executor, data))]);

    private ModelSummary SummaryOf(Network network, Checkpoint state, Executor executor, DataSet data)
    {
        var best = state.History.MinBy(epoch => epoch.TestLoss)!;
        var stepsOfEpoch = (data.Train.Count + options.BatchSize - 1L) / options.BatchSize;
        var steps = state.History.Count * stepsOfEpoch + state.Step;
        return new(
            network.Name,
            Accelerators.OptionOf(executor.Kind),
            CountsOf(Compiler.Compile(network, new(1)).Parameters),
            state.History[^1].TrainLoss,
            state.History[^1].TestLoss,
            best.TestLoss,
            best.Epoch,
            LossFloor.Of(data.Test),
            [.. state.History.Select(epoch => epoch.Seconds)],
            1e6 * state.TrainingSeconds / steps,
            steps,
            options.BatchSize);
    }

    /// <summary>Parameters of the encoder and of the decoder.</summary>
    public static ParameterCounts CountsOf(IReadOnlyList<Parameter> parameters) => new(
        parameters.Where(parameter => parameter.IsEncoder).Sum(parameter => parameter.Count),
        parameters.Where(parameter => !parameter.IsEncoder).Sum(parameter => parameter.Count));

    private string DataTitle(DataSet data) => (data.Name == Mnist.Name ? "MNIST" : "Synthetic digits")
        + (options.TrainLimit is null ? "" : $", {data.Train.Count:N0} images");

    /// <summary>The source's commit, which the SDK puts behind a plus into the informational version.</summary>
    private static string? Commit => typeof(TrainingRun).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
        ?.InformationalVersion.Split('+') is [_, var commit] ? commit : null;

    private static string Text(double value) => value.ToString("0.0####", CultureInfo.InvariantCulture);
}
