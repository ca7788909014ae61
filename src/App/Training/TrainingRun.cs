using System.Reflection;
using AutoencoderGpu.App.Data;
using AutoencoderGpu.App.Reports;
using AutoencoderGpu.Kernels.Devices;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Training;

/// <summary>A run: its models one after the other, and all files of its folder.</summary>
/// <param name="floors">Of <paramref name="data"/>; reckoned after the first steps, which need not wait for them.</param>
internal sealed class TrainingRun(
    TrainingOptions options, RunFolder folder, Executor executor, DataSet data, Floors floors, Terminal terminal)
{
    private readonly bool _comparesWithReference = options.FollowReference(data);
    private readonly DatasetSummary _dataset = DatasetSummary.Of(data);
    private readonly IReadOnlyList<Network> _networks = [.. options.Networks(data).Select(entry => entry.Network)];

    // What the checkpoints say of each model, those that only an earlier sitting trained included; the one record there is.
    private (Network Network, Checkpoint State)[] _states = [];

    /// <summary>Trains, and writes the folder.</summary>
    /// <returns>What <c>summary.json</c> says at the end.</returns>
    /// <exception cref="UserError">A model collapsed, or the run was cancelled; what is known so far is saved.</exception>
    public RunSummary Run(RunStart start, StopSignals signals)
    {
        // Before the folder is touched: no old run is deleted, and no empty one made, for a model that the device has no room for.
        new Room(executor, _networks, options, data, folder).Require();
        if (start == RunStart.Resume)
            RunRecord.Read(folder).Require(_dataset, folder.Path);
        using var held = folder.Take(start, _networks.Select(network => network.Name));
        _states = [.. AllNetworks().Select(network => (network, CheckpointOf(network.Name).Read()))];
        // Written at once: --resume reads the options from it, however early the run is stopped.
        Summary().Save(folder.Summary);
        try
        {
            foreach (var network in _networks)
            {
                using var trainer = new ModelTrainer(executor, network, options, data, folder);
                Train(trainer, start == RunStart.Resume, signals);
            }
        }
        catch (OperationCanceledException e)
        {
            // Without the plot, for which whoever stops a run does not wait.
            using var saving = signals.SavesFirst();
            Summary().Save(folder.Summary);
            Metrics.Write(folder.Metrics, Histories());
            throw new UserError(ExitCode.Interrupted, $"saved; go on with --resume --output {folder.Path}", e);
        }
        catch (Exception e) when (e is UserError || AcceleratorErrors.Explain(e) is not null)
        {
            try
            {
                Write();
            }
            catch (UserError)
            {
                // The disk may be full; the first error says what could not be written.
            }

            throw;
        }

        return Write();
    }

    private int StepsOfEpoch => (int)((data.Train.Count + options.BatchSize - 1L) / options.BatchSize);

    private CheckpointFile CheckpointOf(string model) => new(folder, model, RunRecord.IdentityOf(options, data), StepsOfEpoch);

    private void Train(ModelTrainer trainer, bool resume, StopSignals signals)
    {
        var network = trainer.Model.Network;
        terminal.Say(RunReport.Opening(network, trainer.Model, options));
        if (trainer.IsStreamed)
            terminal.Say("the training images do not fit into the device's memory and are streamed");
        using var log = new EventLog(folder.Logs(network.Name));
        trainer.Begin(resume, terminal.Warn);
        // An earlier sitting may have ended between a checkpoint and the log.
        if (trainer.History.Count > 0)
            log.Append(trainer.History);
        using (var progress = new ProgressLine(terminal, network.Title, options.Epochs))
        using (signals.SavesFirst())
        {
            try
            {
                trainer.Run(
                    progress.Show,
                    epoch =>
                    {
                        Note(trainer);
                        log.Append(trainer.History);
                        progress.Clear();
                        terminal.Say(RunReport.Line(epoch, floors.Of(network), _comparesWithReference));
                        Metrics.Write(folder.Metrics, Histories());
                    },
                    signals.Token);
            }
            finally
            {
                Note(trainer);
            }
        }

        // The pictures show the best weights, as does the summary.
        WeightsFile.Load(folder.BestWeights(network.Name), trainer.Model);
        var best = trainer.Best!;
        ReconstructionMontage.Save(
            folder.Reconstructions(network.Name),
            Reconstructions.OfTestImages(executor, trainer.Model, data.Test),
            network.FullName,
            $"{RunReport.TitleOf(data)}, {data.Test.Count:N0} test images · epoch {best.Epoch} · test loss {RunReport.Text(best.TestLoss)}",
            data.IsFallback,
            RunReport.LossTitleOf(network));
    }

    private void Note(ModelTrainer trainer) =>
        _states[Array.FindIndex(_states, entry => entry.Network == trainer.Model.Network)].State = trainer.State;

    private IEnumerable<(Network Network, Checkpoint State)> States() => _states.Where(entry => entry.State.History.Count > 0);

    /// <summary>The networks of this run and, where an earlier sitting trained others, these, too; then the published ones come first.</summary>
    private IEnumerable<Network> AllNetworks()
    {
        Network[] others =
        [
            .. from name in folder.Models()
               where _networks.All(network => network.Name != name)
               let network = CheckpointOf(name).ReadNetwork()
               where network is not null
               select network with { Normalisation = _networks[0].Normalisation, Loss = _networks[0].Loss },
        ];
        List<string> published = [.. Network.Published(options.Upsample).Select(network => network.Name)];
        return others.Length == 0
            ? _networks
            : _networks.Concat(others).OrderBy(network => published.IndexOf(network.Name) is var place and >= 0 ? place : published.Count);
    }

    /// <summary>All complete epochs, model by model.</summary>
    public EpochRecord[] Histories() => [.. States().SelectMany(entry => entry.State.History)];

    /// <summary>Writes all that is known so far.</summary>
    private RunSummary Write()
    {
        var summary = Summary();
        summary.Save(folder.Summary);
        var epochs = Histories();
        if (epochs.Length == 0)
            return summary;
        Metrics.Write(folder.Metrics, epochs);
        LossPlot.Save(folder.LossCurves, epochs, new(RunReport.TitleOf(data, options), options.LearningRate, options.BatchSize, options.Seed)
        {
            IsFallback = data.IsFallback,
            Floors = [.. States().Select(entry => floors.Of(entry.Network).Test).Distinct()],
            LossTitle = _networks[0].Loss.Title,
            ShowReference = _comparesWithReference,
            Remark = RunReport.TitleOf(options),
        });
        return summary;
    }

    private RunSummary Summary() => new(
        Versions,
        DeviceSummary.Of(executor),
        options.ToJson(),
        _dataset,
        [.. States().Select(entry => SummaryOf(entry.Network, entry.State))]);

    private ModelSummary SummaryOf(Network network, Checkpoint state)
    {
        var best = state.History.MinBy(epoch => epoch.TestLoss)!;
        var steps = (long)state.History.Count * StepsOfEpoch + state.Step;
        var protocol = Protocol.Of(options, network);
        return new(
            network.Name,
            Notation.Of(network),
            Accelerators.OptionOf(executor.Kind),
            CountsOf(Compiler.Compile(network, new(1)).Parameters),
            new(protocol.WarmUpSteps, protocol.MaximalGradientNorm, protocol.Schedule.ToString().ToLowerInvariant()),
            state.History[^1].TrainLoss,
            state.RecentLosses.DefaultIfEmpty(double.NaN).Average(),
            state.History[^1].TestLoss,
            best.TestLoss,
            best.Epoch,
            floors.Of(network).Test,
            floors.Of(network).Train,
            [.. state.History.Select(epoch => epoch.Seconds)],
            1e6 * state.TrainingSeconds / steps,
            steps,
            options.BatchSize);
    }

    /// <summary>Parameters of the encoder and of the decoder.</summary>
    public static ParameterCounts CountsOf(IReadOnlyList<Parameter> parameters) => new(
        parameters.Where(parameter => parameter.IsEncoder).Sum(parameter => parameter.Count),
        parameters.Where(parameter => !parameter.IsEncoder).Sum(parameter => parameter.Count));

    /// <summary>Of this program; the SDK puts the source's commit behind a plus into the informational version.</summary>
    public static VersionsSummary Versions { get; } = new(
        typeof(TrainingRun).Assembly.GetName().Version!.ToString(3),
        Environment.Version.ToString(),
        typeof(ILGPU.Context).Assembly.GetName().Version!.ToString(3),
        typeof(TrainingRun).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion.Split('+') is [_, var commit] ? commit : null);
}
