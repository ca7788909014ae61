using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using AutoencoderGpu.App.Reports;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Training;

/// <summary>How a run treats what is in its folder.</summary>
public enum RunStart
{
    /// <summary>Nothing may be there.</summary>
    New,

    /// <summary>An old run is deleted.</summary>
    Overwrite,

    /// <summary>The run that is there goes on.</summary>
    Resume,
}

/// <summary>The folder of a run and the files in it.</summary>
/// <param name="path">The folder.</param>
public sealed class RunFolder(string path)
{
    /// <summary>The folder.</summary>
    public string Path { get; } = path;

    /// <summary>Options, figures and versions.</summary>
    public string Summary => In("summary.json");

    /// <summary>A row a model and epoch.</summary>
    public string Metrics => In("metrics.csv");

    /// <summary>The plot of all models.</summary>
    public string LossCurves => In("loss-curves.png");

    /// <summary>Where a run goes when no folder is named.</summary>
    /// <param name="kind">After the time: a run's seed.</param>
    public static string DefaultPath(string kind) =>
        System.IO.Path.Combine("runs", string.Create(CultureInfo.InvariantCulture, $"{DateTime.Now:yyyyMMdd-HHmmss}-{kind}"));

    /// <summary>The picture of a model's reconstructions.</summary>
    public string Reconstructions(string model) => In($"reconstructions-{model}.png");

    /// <summary>The weights of the epoch with the lowest test loss.</summary>
    public string BestWeights(string model) => In(model, "best.safetensors");

    /// <summary>The weights after the last epoch.</summary>
    public string LastWeights(string model) => In(model, "last.safetensors");

    /// <summary>What <c>--resume</c> reads.</summary>
    public string Checkpoint(string model) => In(model, "checkpoint.safetensors");

    /// <summary>The folder of a model's TensorBoard log.</summary>
    public string Logs(string model) => In("logs", model);

    /// <summary>Looks whether a run may start here; changes nothing.</summary>
    /// <exception cref="UserError">A run is there and is not to be overwritten.</exception>
    public void Check(RunStart start)
    {
        if (Path.Length == 0 || File.Exists(Path))
            throw new UserError(ExitCode.Usage, $"--output '{Path}' is not a folder's name; it names the folder of the run");
        if (start == RunStart.New && RunFiles().Any(File.Exists))
        {
            throw new UserError(
                ExitCode.Usage, $"{Path} holds a run already: --resume goes on with it, --force overwrites it, --output names another folder");
        }
    }

    /// <summary>Makes the folder ready: empty of an old run, or with one to go on with.</summary>
    /// <param name="start">Whether a run that is there is deleted, its own files only, or resumed.</param>
    /// <param name="models">The names of the models that are trained.</param>
    /// <param name="dataset">The data at hand, which must be what a resumed run began with.</param>
    /// <exception cref="UserError">The folder cannot be made, or the data is another.</exception>
    internal void Create(RunStart start, DatasetSummary dataset, IEnumerable<string> models)
    {
        if (start == RunStart.Resume)
        {
            var begun = ReadSummary()["dataset"];
            if ((string?)begun?["name"] != dataset.Name
                || (int?)begun["train_count"] != dataset.TrainCount
                || (int?)begun["test_count"] != dataset.TestCount)
            {
                throw new UserError(
                    ExitCode.Data,
                    $"{Path} was begun on other data ({begun?["name"]}, {begun?["train_count"]} and {begun?["test_count"]} images); name it with --data, or begin anew with --force");
            }
        }

        try
        {
            foreach (var file in RunFiles().Where(file => start == RunStart.Overwrite && File.Exists(file)))
                File.Delete(file);
            foreach (var model in models)
                Directory.CreateDirectory(In(model));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserError(ExitCode.Failed, $"{Path} cannot be made: {e.Message}; --output names another folder", e);
        }
    }

    /// <summary>The options of the run that is there.</summary>
    /// <exception cref="UserError">There is none.</exception>
    public TrainingOptions ReadOptions()
    {
        try
        {
            return TrainingOptions.FromJson(ReadSummary()["options"] as JsonObject ?? throw new JsonException("It has no options."));
        }
        catch (JsonException e)
        {
            throw Damaged(e);
        }
    }

    private JsonObject ReadSummary()
    {
        try
        {
            return JsonNode.Parse(File.ReadAllText(Summary)) as JsonObject ?? throw new JsonException("It is not an object.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserError(ExitCode.Data, $"{Path} holds no run to resume: {Summary} cannot be read; leave out --resume to begin one", e);
        }
        catch (JsonException e)
        {
            throw Damaged(e);
        }
    }

    private UserError Damaged(JsonException e) =>
        new(ExitCode.Data, $"{Summary} is damaged: {e.Message.ReplaceLineEndings(" ")} Begin again with --force", e);

    /// <summary>The names of the models of which there is a checkpoint.</summary>
    public IEnumerable<string> Models() => Directory.Exists(Path)
        ? [.. Directory.EnumerateDirectories(Path).Select(folder => System.IO.Path.GetFileName(folder)).Where(name => File.Exists(Checkpoint(name))).Order(StringComparer.Ordinal)]
        : [];

    private IEnumerable<string> RunFiles()
    {
        // Folders without a checkpoint are somebody else's.
        string[] models = [.. Models().Union(Network.Published(default).Select(network => network.Name))];
        return
        [
            Summary, Metrics, LossCurves,
            .. models.SelectMany(model => new[] { Reconstructions(model), BestWeights(model), LastWeights(model), Checkpoint(model) }),
            .. models.SelectMany(model => EventLog.FilesIn(Logs(model))),
        ];
    }

    private string In(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);
}
