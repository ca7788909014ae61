using System.Globalization;
using System.Text.Json;
using AutoencoderGpu.App.Data;
using AutoencoderGpu.App.Reports;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Models;
using Spectre.Console;

namespace AutoencoderGpu.App.Training;

/// <summary>
/// Runs that differ in their learning rate or seed: a folder of ordinary runs, one for each model, rate and seed, with a table and
/// a plot over all of them. A run that collapses is a result here, not an error.
/// </summary>
internal sealed class Comparison(
    TrainingOptions options, double[] learningRates, ulong[] seeds, string folder, bool isDefault, Executor executor, DataSet data, Terminal terminal)
{
    private const string Summary = "comparison.json";
    // The last is the last that is deleted: where it is, there is a comparison.
    private static readonly string[] _files = ["comparison.csv", "comparison.png", Summary];

    private readonly List<(ComparedRun Run, IReadOnlyList<EpochRecord> Epochs)> _runs = [];
    // Rates and seeds are what differs.
    private readonly bool _comparesWithReference = (options with { LearningRate = 1 }).FollowReference(data);
    private readonly Floors _floors = new(data);
    private readonly IReadOnlyList<(string Text, Network Network)> _networks = options.Networks(data);

    /// <summary>The folder.</summary>
    public string Folder { get; private set; } = folder;

    /// <summary>What was begun and goes on, if anything.</summary>
    public ComparisonSummary? Begun { get; init; }

    /// <summary>What was begun in a folder.</summary>
    /// <exception cref="UserError">There is nothing.</exception>
    public static (TrainingOptions Options, ComparisonSummary Begun) Read(string folder)
    {
        try
        {
            var begun = ComparisonSummary.Parse(InputFile.ReadAllBytes(Path.Combine(folder, Summary), RunRecord.LongestFile));
            return (TrainingOptions.FromJson(begun.Options), begun);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserError(
                ExitCode.Data, $"{folder} holds no comparison to resume: its {Summary} cannot be read; leave out --resume to begin one", e);
        }
        catch (Exception e) when (e is JsonException or InvalidDataException)
        {
            throw new UserError(
                ExitCode.Data, $"{Path.Combine(folder, Summary)} is damaged: {e.Message.ReplaceLineEndings(" ").TrimEnd('.')}; begin again with --force", e);
        }
    }

    /// <summary>Looks whether a comparison may start in a folder; changes nothing.</summary>
    /// <exception cref="UserError">One is there and is not to be overwritten.</exception>
    public static void Check(string folder, RunStart start)
    {
        try
        {
            CheckContent(folder, start);
            if (start == RunStart.Resume)
                RunFolder.RequireFiles(OwnFiles(folder));
            // Its folders are runs', and looked at when they are taken.
            new RunFolder(folder).Check(start == RunStart.Overwrite ? RunStart.New : start);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserError(ExitCode.Failed, $"{folder} cannot be read: {e.Message.ReplaceLineEndings(" ")}; --output names another folder", e);
        }
    }

    private static IEnumerable<string> OwnFiles(string folder) => _files.Select(name => Path.Combine(folder, name));

    private static void CheckContent(string folder, RunStart start)
    {
        if (start == RunStart.New && OwnFiles(folder).Any(File.Exists))
        {
            throw new UserError(
                ExitCode.Usage, $"{folder} holds a comparison already: --resume goes on with it, --force overwrites it, --output names another folder");
        }

        if (start == RunStart.Overwrite && Directory.Exists(folder)
            && ForeignFile(Directory.EnumerateFiles(folder).Where(file => Path.GetFileName(file) != FolderLock.FileName && !AtomicFile.IsTemporary(file))) is { } foreign)
        {
            throw new UserError(
                ExitCode.Usage, $"{folder} holds {Path.GetFileName(foreign)}, which is no comparison's, so --force leaves the folder alone; --output names another");
        }
    }

    /// <summary>One of the files that is no comparison's; any, where they lack the summary.</summary>
    private static string? ForeignFile(IEnumerable<string> files)
    {
        string[] all = [.. files];
        return all.FirstOrDefault(file => !_files.Contains(Path.GetFileName(file)))
            ?? (all.Any(file => Path.GetFileName(file) == Summary) ? null : all.FirstOrDefault());
    }

    /// <summary>Trains all, and writes the folder after each.</summary>
    /// <exception cref="UserError">It was cancelled; what is known so far is saved.</exception>
    public ComparisonSummary Run(RunStart start, StopSignals signals)
    {
        // What is compared is written down for good, so it must be what can be.
        new Room(executor, [.. _networks.Select(entry => entry.Network)], options, data, new(Folder)).Require();
        if (Begun is not null)
            new RunRecord(options, Begun.Dataset).Require(DatasetSummary.Of(data), Folder);
        using var held = TakeFolder(start);
        var all = (from entry in _networks from rate in learningRates from seed in seeds select (entry, rate, seed)).ToArray();
        // At once, for a comparison that is stopped has none but its own runs.
        foreach (var (entry, rate, seed) in all.Where(_ => start == RunStart.Overwrite))
        {
            if (FolderOf(entry.Network, rate, seed) is var old && Directory.Exists(old.Path))
                old.Take(RunStart.Overwrite, []).Dispose();
        }

        Save();
        try
        {
            foreach (var (entry, rate, seed) in all)
            {
                terminal.Say($"[grey]run {_runs.Count + 1} of {all.Length}[/]");
                _runs.Add(Run(entry.Text, entry.Network, rate, seed, start, signals));
                Save();
            }
        }
        catch (UserError e) when (e.Code == ExitCode.Interrupted)
        {
            throw new UserError(ExitCode.Interrupted, $"saved; go on with compare --resume --output {Folder}", e);
        }

        Draw();
        return Summarise();
    }

    /// <summary>Shows a line a group.</summary>
    public void Show(ComparisonSummary summary)
    {
        var table = Terminal.Table(
            "model", ">learning rate", ">runs", ">collapsed", ">best test loss: mean", ">deviation", ">lowest", ">highest", ">reference", ">last 100 steps: mean", ">highest");
        foreach (var group in summary.Groups)
        {
            table.AddRow(
                group.Model,
                RateText.Of(group.LearningRate),
                group.Runs.ToString(CultureInfo.InvariantCulture),
                group.Collapsed.ToString(CultureInfo.InvariantCulture),
                RunReport.Loss(group.BestTestLoss.Mean),
                RunReport.Loss(group.BestTestLoss.StandardDeviation),
                RunReport.Loss(group.BestTestLoss.Lowest),
                RunReport.Loss(group.BestTestLoss.Highest),
                _comparesWithReference && options.Epochs >= 10 && ReferenceCurves.Of(group.Model) is { Count: > 0 } reference ? RunReport.Loss(reference.Min(epoch => epoch.TestLoss)) : "–",
                RunReport.Loss(group.RecentTrainLoss.Mean),
                RunReport.Loss(group.RecentTrainLoss.Highest));
        }

        terminal.Show(table);
    }

    private (ComparedRun Run, IReadOnlyList<EpochRecord> Epochs) Run(
        string text, Network network, double rate, ulong seed, RunStart start, StopSignals signals)
    {
        var own = options with { Model = text, LearningRate = rate, Seed = seed };
        var runFolder = FolderOf(network, rate, seed);
        // A comparison that was stopped, or is given more seeds, has runs that are not begun.
        if (start == RunStart.Resume && !File.Exists(runFolder.Summary))
            start = RunStart.New;
        runFolder.Check(start);
        var run = new TrainingRun(own, runFolder, executor, data, _floors, terminal);
        try
        {
            var result = run.Run(start, signals).Models.Single();
            return (new(network.Name, rate, seed, null, result), run.Histories());
        }
        catch (UserError e) when (e.Code == ExitCode.Collapsed)
        {
            terminal.Say($"  [yellow]collapsed:[/] {Markup.Escape(e.Message)}");
            return (new(network.Name, rate, seed, e.Message, null), []);
        }
    }

    private RunFolder FolderOf(Network network, double rate, ulong seed) => new(Path.Combine(
        Folder, string.Create(CultureInfo.InvariantCulture, $"{network.Name}-rate{RateText.Of(rate)}-seed{seed}")));

    private FolderLock TakeFolder(RunStart start)
    {
        try
        {
            if (isDefault)
                Folder = RunFolder.MakeFree(Folder);
            else
                Directory.CreateDirectory(Folder);
            Check(Folder, start);
            var held = FolderLock.Take(Folder);
            try
            {
                // Another comparison may have ended in between.
                CheckContent(Folder, start);
                foreach (var file in Directory.GetFiles(Folder).Where(AtomicFile.IsTemporary).Concat(start == RunStart.Overwrite ? OwnFiles(Folder) : []))
                    File.Delete(file);
                return held;
            }
            catch
            {
                held.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserError(ExitCode.Failed, $"{Folder} cannot be made: {e.Message}; --output names another folder", e);
        }
    }

    private void Save()
    {
        var summary = Summarise();
        AtomicFile.WriteText(Path.Combine(Folder, Summary), summary.ToJson());
        AtomicFile.WriteText(Path.Combine(Folder, "comparison.csv"), summary.ToCsv());
    }

    private void Draw()
    {
        if (_runs.All(run => run.Epochs.Count == 0))
            return;
        var collapsed = _runs.Count(run => run.Run.Collapsed is not null);
        ComparisonPlot.Save(
            Path.Combine(Folder, "comparison.png"),
            [.. _runs.Select(run => new ComparedCurve(run.Run.LearningRate, run.Run.Seed, run.Epochs))],
            string.Create(CultureInfo.InvariantCulture, $"{RunReport.TitleOf(data, options)} · mini-batches of {options.BatchSize} · {RunReport.TitleOf(options)}")
                + (seeds is [var seed] ? $" · seed {seed}" : "")
                + (collapsed > 0 ? $" · {collapsed} of {_runs.Count} runs collapsed" : ""),
            name => _floors.Of(_networks.First(entry => entry.Network.Name == name).Network).Test,
            _networks[0].Network.Loss.Title,
            _comparesWithReference,
            data.IsFallback);
    }

    private ComparisonSummary Summarise()
    {
        // Those of an earlier sitting stay until they are looked at again.
        ComparedRun[] runs =
        [
            .. _runs.Select(run => run.Run),
            .. Begun?.Runs.Where(old => _runs.All(run => (run.Run.Model, run.Run.LearningRate, run.Run.Seed) != (old.Model, old.LearningRate, old.Seed))) ?? [],
        ];
        return new(
            TrainingRun.Versions,
            DeviceSummary.Of(executor),
            options.ToJson(),
            learningRates,
            seeds,
            DatasetSummary.Of(data),
            GroupSummary.Of(runs),
            runs);
    }
}
