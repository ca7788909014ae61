using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Executors;

namespace AutoencoderGpu.App.Training;

/// <summary>Which models a run trains.</summary>
public enum ModelChoice
{
    /// <summary>The fully connected autoencoder.</summary>
    Fc,

    /// <summary>The convolutional autoencoder.</summary>
    Conv,

    /// <summary>One after the other.</summary>
    Both,
}

/// <summary>Everything that decides what a run computes, as given on the command line or by default.</summary>
public sealed record TrainingOptions
{
    /// <summary>Models to train.</summary>
    public ModelChoice Model { get; init; } = ModelChoice.Both;

    /// <summary>What runs the kernels.</summary>
    public AcceleratorKind Accelerator { get; init; }

    /// <summary>Which of several devices.</summary>
    public int Device { get; init; }

    /// <summary>CPU threads.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Data set by name, null for MNIST or, where that is not to be had, the built-in digits.</summary>
    public string? Dataset { get; init; }

    /// <summary>Folder of the data, null for the environment's or the cache.</summary>
    public string? Data { get; init; }

    /// <summary>Passes over the training images.</summary>
    public int Epochs { get; init; } = 10;

    /// <summary>Images of a mini-batch.</summary>
    public int BatchSize { get; init; } = 10;

    /// <summary>Learning rate after warm-up.</summary>
    public double LearningRate { get; init; } = 1;

    /// <summary>Of initial values and shuffling.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>What is added to plain SGD.</summary>
    public ProtocolChoice Protocol { get; init; } = ProtocolChoice.Stable;

    /// <summary>How the convolutional model upsamples.</summary>
    public Interpolation Upsample { get; init; }

    /// <summary>First so many training images only.</summary>
    public int? TrainLimit { get; init; }

    /// <summary>First so many test images only.</summary>
    public int? TestLimit { get; init; }

    /// <summary>As recorded in <c>summary.json</c>.</summary>
    public JsonObject ToJson() => JsonSerializer.SerializeToNode(this, OptionsJson.Default.TrainingOptions)!.AsObject();

    /// <summary>As read from <c>summary.json</c>.</summary>
    /// <exception cref="JsonException">These are not options.</exception>
    public static TrainingOptions FromJson(JsonObject json) =>
        json.Deserialize(OptionsJson.Default.TrainingOptions) ?? throw new JsonException("There are no options.");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true, WriteIndented = true)]
[JsonSerializable(typeof(TrainingOptions))]
internal sealed partial class OptionsJson : JsonSerializerContext;
