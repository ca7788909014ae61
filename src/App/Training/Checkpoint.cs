using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using AutoencoderGpu.App.Reports;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Training;

/// <summary>
/// Where a model's training stands: its weights, and as the file's metadata all else that going on takes. One file, written whole
/// or not at all, so that weights and history never disagree.
/// </summary>
/// <param name="History">Epochs that are complete.</param>
/// <param name="Step">Steps done of the epoch after them.</param>
/// <param name="LossSum">The sum of those steps' mini-batch losses.</param>
/// <param name="Seconds">Time spent on those steps and what is around them.</param>
/// <param name="TrainingSeconds">Time spent on training steps alone, those of complete epochs included.</param>
/// <param name="RecentLosses">The mini-batch losses of the last steps, <see cref="RecentSteps"/> at most.</param>
public sealed record Checkpoint(
    IReadOnlyList<EpochRecord> History,
    int Step,
    double LossSum,
    double Seconds,
    double TrainingSeconds,
    IReadOnlyList<double> RecentLosses)
{
    /// <summary>How many steps are recent.</summary>
    public const int RecentSteps = 100;

    /// <summary>The state before the first step.</summary>
    public static Checkpoint Beginning { get; } = new([], 0, 0, 0, 0, []);

    /// <summary>Saves the model with this state.</summary>
    public void Save(string path, Model model)
    {
        var metadata = new Dictionary<string, string>(NetworkFile.Of(model.Network))
        {
            ["history"] = JsonSerializer.Serialize(History, CheckpointJson.Default.IReadOnlyListEpochRecord),
            ["step"] = Step.ToString(CultureInfo.InvariantCulture),
            ["loss_sum"] = LossSum.ToString("R", CultureInfo.InvariantCulture),
            ["seconds"] = Seconds.ToString("R", CultureInfo.InvariantCulture),
            ["training_seconds"] = TrainingSeconds.ToString("R", CultureInfo.InvariantCulture),
            ["recent_losses"] = JsonSerializer.Serialize(RecentLosses, CheckpointJson.Default.IReadOnlyListDouble),
        };
        AtomicFile.Write(path, stream => Safetensors.Save(stream, [.. Weights.Of(model), .. Weights.StateOf(model)], metadata));
    }

    /// <summary>Loads weights into the model and returns the state, or the beginning where there is no file.</summary>
    /// <exception cref="UserError">The file is damaged.</exception>
    public static Checkpoint Load(string path, Model model) => Parse(path, () => WeightsFile.Load(path, model, withState: true));

    /// <summary>The state alone, or the beginning where there is no file.</summary>
    /// <exception cref="UserError">The file is damaged.</exception>
    public static Checkpoint Read(string path) => Parse(path, () => WeightsFile.Read(path));

    private static Checkpoint Parse(string path, Func<Safetensors> read)
    {
        if (!File.Exists(path))
            return Beginning;
        IReadOnlyDictionary<string, string> metadata = new Dictionary<string, string>();
        try
        {
            metadata = read().Metadata;
            return new(
                JsonSerializer.Deserialize(metadata["history"], CheckpointJson.Default.IReadOnlyListEpochRecord) ?? throw new JsonException("There is no history."),
                int.Parse(metadata["step"], CultureInfo.InvariantCulture),
                Number("loss_sum"),
                Number("seconds"),
                Number("training_seconds"),
                JsonSerializer.Deserialize(metadata["recent_losses"], CheckpointJson.Default.IReadOnlyListDouble) ?? throw new JsonException("There are no recent losses."));
        }
        catch (Exception e) when (e is UserError or KeyNotFoundException or FormatException or OverflowException or JsonException)
        {
            throw new UserError(
                ExitCode.Data, $"{path} is no checkpoint ({e.Message}); begin again with --force or in another --output", e);
        }

        double Number(string name) => double.Parse(metadata[name], CultureInfo.InvariantCulture);
    }
}

[JsonSerializable(typeof(IReadOnlyList<EpochRecord>))]
[JsonSerializable(typeof(IReadOnlyList<double>))]
internal sealed partial class CheckpointJson : JsonSerializerContext;
