using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AutoencoderGpu.App.Training;

/// <summary>The folder of a run and the files in it.</summary>
/// <param name="path">The folder.</param>
public sealed class RunFolder(string path)
{
    private static readonly string[] _models = ["fc", "conv"];

    /// <summary>The folder.</summary>
    public string Path { get; } = path;

    /// <summary>Options, figures and versions.</summary>
    public string Summary => In("summary.json");

    /// <summary>A row a model and epoch.</summary>
    public string Metrics => In("metrics.csv");

    /// <summary>The plot of both models.</summary>
    public string LossCurves => In("loss-curves.png");

    /// <summary>Where a run goes when no folder is named.</summary>
    public static string DefaultPath(ulong seed) =>
        System.IO.Path.Combine("runs", string.Create(CultureInfo.InvariantCulture, $"{DateTime.Now:yyyyMMdd-HHmmss}-{seed}"));

    /// <summary>The picture of a model's reconstructions.</summary>
    public string Reconstructions(string model) => In($"reconstructions-{model}.png");

    /// <summary>The weights of the epoch with the lowest test loss.</summary>
    public string BestWeights(string model) => In(model, "best.safetensors");

    /// <summary>The weights after the last epoch.</summary>
    public string LastWeights(string model) => In(model, "last.safetensors");

    /// <summary>What <c>--resume</c> reads.</summary>
    public string Checkpoint(string model) => In(model, "checkpoint.safetensors");

    /// <summary>Makes the folder for a new run.</summary>
    /// <param name="force">Whether a run that is there is deleted, its own files only.</param>
    /// <exception cref="UserError">A run is there and is not to be overwritten, or the folder cannot be made.</exception>
    public void Create(bool force)
    {
        try
        {
            if (Directory.Exists(Path) && RunFiles().Any(File.Exists))
            {
                if (!force)
                {
                    throw new UserError(
                        ExitCode.Usage, $"{Path} holds a run already: --resume goes on with it, --force overwrites it, --output names another folder");
                }

                foreach (var file in RunFiles().Where(File.Exists))
                    File.Delete(file);
            }

            foreach (var model in _models)
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
            var summary = JsonNode.Parse(File.ReadAllText(Summary))?["options"] as JsonObject;
            return TrainingOptions.FromJson(summary ?? throw new JsonException("It has no options."));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserError(ExitCode.Data, $"{Path} holds no run to resume: {Summary} cannot be read; leave out --resume to begin one", e);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new UserError(ExitCode.Data, $"{Summary} is damaged: {e.Message} Begin again with --force", e);
        }
    }

    private IEnumerable<string> RunFiles() =>
    [
        Summary, Metrics, LossCurves,
        .. _models.SelectMany(model => new[] { Reconstructions(model), BestWeights(model), LastWeights(model), Checkpoint(model) }),
    ];

    private string In(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);
}
