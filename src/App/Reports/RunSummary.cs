using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using AutoencoderGpu.App.Data;
using AutoencoderGpu.Kernels.Devices;
using AutoencoderGpu.Kernels.Executors;

namespace AutoencoderGpu.App.Reports;

/// <summary>Everything a run's <c>summary.json</c> says; names there are these in snake_case, such as <c>us_per_step</c>.</summary>
/// <param name="Versions">Of the program and what it stands on.</param>
/// <param name="Device">What the run was computed on.</param>
/// <param name="Options">All options of the command, given or by default, names in snake_case.</param>
/// <param name="Dataset">What was trained and tested on.</param>
/// <param name="Models">In the order they were trained.</param>
public sealed record RunSummary(
    VersionsSummary Versions,
    DeviceSummary Device,
    JsonObject Options,
    DatasetSummary Dataset,
    IReadOnlyList<ModelSummary> Models)
{
    /// <summary>The summary as one JSON object, ending with a line end.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, SummaryJson.Default.RunSummary) + "\n";

    /// <summary>Writes <see cref="ToJson"/> to a file, whole or not at all.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <exception cref="UserError">The file cannot be written (<see cref="ExitCode.Failed"/>).</exception>
    public void Save(string path) => AtomicFile.WriteText(path, ToJson());
}

/// <summary>Versions of the program and what it stands on.</summary>
/// <param name="Program">Such as 0.1.0.</param>
/// <param name="Dotnet">The runtime's version.</param>
/// <param name="Ilgpu">ILGPU's version.</param>
/// <param name="Commit">The source's commit, or null when it is not known.</param>
public sealed record VersionsSummary(string Program, string Dotnet, string Ilgpu, string? Commit);

/// <summary>What a run was computed on.</summary>
/// <param name="Accelerator"><c>cuda</c>, <c>opencl</c> or <c>cpu</c>.</param>
/// <param name="Name">The device's own name.</param>
public sealed record DeviceSummary(string Accelerator, string Name)
{
    /// <summary>Of an executor.</summary>
    public static DeviceSummary Of(Executor executor) => new(Accelerators.OptionOf(executor.Kind), executor.Description);
}

/// <summary>A data set.</summary>
/// <param name="Name">As in <c>--dataset</c>.</param>
/// <param name="Origin">A folder, or "built in".</param>
/// <param name="IsFallback">Whether it stood in for MNIST, unasked.</param>
/// <param name="TrainCount">Images trained on.</param>
/// <param name="TestCount">Images tested on.</param>
public sealed record DatasetSummary(string Name, string Origin, bool IsFallback, int TrainCount, int TestCount)
{
    /// <summary>Of a data set.</summary>
    public static DatasetSummary Of(DataSet data) => new(data.Name, data.Origin, data.IsFallback, data.Train.Count, data.Test.Count);
}

/// <summary>Numbers of parameters.</summary>
/// <param name="Encoder">Those of the encoder.</param>
/// <param name="Decoder">Those of the decoder.</param>
public sealed record ParameterCounts(int Encoder, int Decoder)
{
    /// <summary>All of them.</summary>
    [JsonPropertyOrder(-1)]
    public int Total => Encoder + Decoder;
}

/// <summary>What plain SGD was given besides: the protocol as it applied to one model.</summary>
/// <param name="WarmUpSteps">Steps over which the learning rate rose; 0 for none.</param>
/// <param name="ClipNorm">The norm at which the gradient was clipped; 0 for not.</param>
/// <param name="Schedule"><c>constant</c> or <c>cosine</c>.</param>
public sealed record ProtocolSummary(int WarmUpSteps, float ClipNorm, string Schedule);

/// <summary>What became of one model. A number that is not finite, as after a collapse, is written as null.</summary>
/// <param name="Model"><c>fc</c>, <c>conv</c> or the name of another model.</param>
/// <param name="Notation">Its layers as text.</param>
/// <param name="Accelerator">As in <see cref="DeviceSummary"/>.</param>
/// <param name="Parameters">How many it has.</param>
/// <param name="Protocol">How it was trained.</param>
/// <param name="TrainLoss">Of the last epoch.</param>
/// <param name="RecentTrainLoss">Mean of the last steps' losses, 100 steps at most.</param>
/// <param name="TestLoss">Of the last epoch.</param>
/// <param name="BestTestLoss">The lowest of all epochs.</param>
/// <param name="BestEpoch">The epoch of that, from 1.</param>
/// <param name="Floor">The lowest test loss that the model's last activation can reach on this data.</param>
/// <param name="TrainFloor">The lowest training loss, likewise.</param>
/// <param name="SecondsPerEpoch">Training and test, each epoch in turn.</param>
/// <param name="UsPerStep">Microseconds of one training step, on average.</param>
/// <param name="Steps">Training steps done.</param>
/// <param name="BatchSize">Images in a step.</param>
public sealed record ModelSummary(
    string Model,
    string Notation,
    string Accelerator,
    ParameterCounts Parameters,
    ProtocolSummary Protocol,
    double TrainLoss,
    double RecentTrainLoss,
    double TestLoss,
    double BestTestLoss,
    int BestEpoch,
    double Floor,
    double TrainFloor,
    IReadOnlyList<double> SecondsPerEpoch,
    double UsPerStep,
    long Steps,
    int BatchSize)
{
    /// <summary>How far the best test loss is above the floor: the honest distance between two models.</summary>
    public double Excess => BestTestLoss - Floor;

    /// <summary>How far the last epoch's test loss is above the floor.</summary>
    public double TestExcess => TestLoss - Floor;

    /// <summary>How far the last epoch's training loss is above its floor.</summary>
    public double TrainExcess => TrainLoss - TrainFloor;
}

/// <summary>JSON knows no NaN and no infinity: they are written as null, and null reads as NaN.</summary>
internal sealed class FiniteOrNull : JsonConverter<double>
{
    /// <inheritdoc/>
    public override bool HandleNull => true;

    /// <inheritdoc/>
    public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType is JsonTokenType.Null ? double.NaN : reader.GetDouble();

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
    {
        if (double.IsFinite(value))
            writer.WriteNumberValue(value);
        else
            writer.WriteNullValue();
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    WriteIndented = true,
    NewLine = "\n",
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    Converters = [typeof(FiniteOrNull)])]
[JsonSerializable(typeof(RunSummary))]
[JsonSerializable(typeof(ModelSummary))]
[JsonSerializable(typeof(DatasetSummary))]
[JsonSerializable(typeof(ComparisonSummary))]
internal sealed partial class SummaryJson : JsonSerializerContext;
