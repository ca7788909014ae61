using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using AutoencoderGpu.App.Reports;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Training;

/// <summary>
/// Where a model's <see cref="Checkpoint"/> is kept: a safetensors file of its weights and the optimiser's state, and as the file's metadata
/// all else, the run's identity and a checksum of everything. The checkpoint before is kept beside it, for a file may be damaged after it was written.
/// </summary>
/// <param name="folder">Of the run.</param>
/// <param name="model">The model's name.</param>
/// <param name="run">Identity of the run, <see cref="RunRecord.IdentityOf"/>.</param>
/// <param name="stepsOfEpoch">Which a checkpoint's step is below.</param>
internal sealed class CheckpointFile(RunFolder folder, string model, string run, int stepsOfEpoch)
{
    private const string Checksum = "checksum";

    /// <summary>The file.</summary>
    public string Path { get; } = folder.Checkpoint(model);

    private string Previous { get; } = folder.PreviousCheckpoint(model);

    /// <summary>Saves the model with a state.</summary>
    /// <param name="state">Where its training stands.</param>
    /// <param name="model">Whose optimiser's state is saved, too.</param>
    /// <param name="weights">The model's.</param>
    /// <exception cref="UserError">The file cannot be written; the checkpoint before is whole.</exception>
    public void Save(Checkpoint state, Model model, IReadOnlyList<(string Name, Tensor Tensor)> weights)
    {
        (string Name, Tensor Tensor)[] tensors = [.. weights, .. Weights.StateOf(model)];
        var metadata = new Dictionary<string, string>(NetworkFile.Of(model.Network))
        {
            ["run"] = run,
            ["history"] = JsonSerializer.Serialize(state.History, CheckpointJson.Default.IReadOnlyListEpochRecord),
            ["step"] = state.Step.ToString(CultureInfo.InvariantCulture),
            ["loss_sum"] = state.LossSum.ToString("R", CultureInfo.InvariantCulture),
            ["seconds"] = state.Seconds.ToString("R", CultureInfo.InvariantCulture),
            ["training_seconds"] = state.TrainingSeconds.ToString("R", CultureInfo.InvariantCulture),
            ["recent_losses"] = JsonSerializer.Serialize(state.RecentLosses, CheckpointJson.Default.IReadOnlyListDouble),
        };
        metadata[Checksum] = ChecksumOf(metadata, tensors);
        AtomicFile.Write(Path, stream => Safetensors.Save(stream, tensors, metadata), Previous);
    }

    /// <summary>
    /// Loads weights into the model and returns the state; where there is no file, the beginning. A damaged file is replaced by the one before,
    /// with a warning.
    /// </summary>
    /// <exception cref="UserError">Both are damaged, or of another run (<see cref="ExitCode.Data"/>).</exception>
    public Checkpoint Load(Model model, Action<string> warn)
    {
        var (state, content) = Read(damage =>
        {
            warn($"{damage}; going on from the checkpoint before it");
            try
            {
                File.Move(Previous, Path, overwrite: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new UserError(ExitCode.Failed, $"{Previous} cannot take the place of {Path}: {e.Message.ReplaceLineEndings(" ")}", e);
            }
        });
        if (content is null)
            return state;
        try
        {
            if (NetworkFile.Of(model.Network).FirstOrDefault(entry => content.Metadata.GetValueOrDefault(entry.Key) != entry.Value) is { Key: { } name })
                throw new InvalidDataException($"it is of another model: its {name} is '{content.Metadata.GetValueOrDefault(name)}'");
            Weights.CopyTo(model, content.Tensors, withState: true);
            return state;
        }
        catch (InvalidDataException e)
        {
            throw Refused(Path, e);
        }
    }

    /// <summary>The state alone; where there is no file, the beginning.</summary>
    /// <exception cref="UserError">See <see cref="Load"/>.</exception>
    public Checkpoint Read() => Read(_ => { }).State;

    /// <summary>The network that the checkpoint is of.</summary>
    /// <exception cref="UserError">See <see cref="Load"/>.</exception>
    public Network? ReadNetwork() => Read(_ => { }).Content is { } content ? NetworkFile.Read(content.Metadata, content.Tensors.Keys, null) : null;

    private (Checkpoint State, Safetensors? Content) Read(Action<string> fellBack)
    {
        if (!File.Exists(Path))
            return File.Exists(Previous) ? Verified(Previous) : (Checkpoint.Beginning, null);
        try
        {
            return Verified(Path);
        }
        catch (UserError damage) when (File.Exists(Previous) && IsDamage(damage.InnerException))
        {
            (Checkpoint State, Safetensors? Content) previous;
            try
            {
                previous = Verified(Previous);
            }
            catch (UserError)
            {
                throw damage;
            }

            fellBack(Distrust(Path, damage.InnerException!));
            return previous;
        }
    }

    private (Checkpoint State, Safetensors? Content) Verified(string path)
    {
        try
        {
            var content = Safetensors.Load(path);
            var metadata = content.Metadata;
            if (!metadata.TryGetValue(Checksum, out var checksum))
                throw new InvalidDataException("it has no checksum, as those of earlier versions of this program");
            if (checksum != ChecksumOf(metadata, content.Tensors.Select(tensor => (tensor.Key, tensor.Value))))
                throw new InvalidDataException("its checksum is not that of its content");
            if (metadata["run"] != run)
                throw new OtherRunException();
            var state = new Checkpoint(
                JsonSerializer.Deserialize(metadata["history"], CheckpointJson.Default.IReadOnlyListEpochRecord) ?? throw new JsonException("there is no history"),
                int.Parse(metadata["step"], NumberStyles.None, CultureInfo.InvariantCulture),
                Number("loss_sum"),
                Number("seconds"),
                Number("training_seconds"),
                JsonSerializer.Deserialize(metadata["recent_losses"], CheckpointJson.Default.IReadOnlyListDouble) ?? throw new JsonException("there are no recent losses"));
            state.Check(model, stepsOfEpoch);
            if (content.Tensors.FirstOrDefault(tensor => !tensor.Value.Values.All(float.IsFinite)).Key is { } name)
                throw new InvalidDataException($"tensor '{name}' holds values that are not finite");
            return (state, content);

            double Number(string name) => double.Parse(metadata[name], NumberStyles.Float, CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException or KeyNotFoundException or FormatException
            or OverflowException or JsonException or OtherRunException)
        {
            throw Refused(path, e);
        }
    }

    /// <summary>What cannot be read at the moment, or is another run's, is not damaged.</summary>
    private static bool IsDamage(Exception? cause) =>
        cause is EndOfStreamException or not (IOException or UnauthorizedAccessException or OtherRunException);

    private static UserError Refused(string path, Exception e) => new(
        ExitCode.Data,
        $"{Distrust(path, e)}; begin again with --force or in another --output",
        e);

    private static string Distrust(string path, Exception e) => $"{path} is not to be trusted ({e.Message.ReplaceLineEndings(" ").TrimEnd('.')})";

    private static string ChecksumOf(IEnumerable<KeyValuePair<string, string>> metadata, IEnumerable<(string Name, Tensor Tensor)> tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, value) in metadata.Where(entry => entry.Key != Checksum).OrderBy(entry => entry.Key, StringComparer.Ordinal))
            Append($"{name.Length} {name} {value.Length} {value}");
        foreach (var (name, tensor) in tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal))
        {
            Append($"{name.Length} {name} {string.Join(' ', tensor.Shape)}");
            hash.AppendData(MemoryMarshal.AsBytes(tensor.Values.AsSpan()));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());

        void Append(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text));
    }

    private sealed class OtherRunException() : Exception("it is of a run with other options or data");
}

[JsonSourceGenerationOptions(AllowDuplicateProperties = false, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(IReadOnlyList<EpochRecord>))]
[JsonSerializable(typeof(IReadOnlyList<double>))]
internal sealed partial class CheckpointJson : JsonSerializerContext;
