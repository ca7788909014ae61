using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using AutoencoderGpu.App.Data;
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Operations;

namespace AutoencoderGpu.App.Training;

/// <summary>Everything that decides what a run computes, as given on the command line or by default.</summary>
public sealed record TrainingOptions
{
    /// <summary>Models to train, as <see cref="ModelChoice"/> reads them.</summary>
    public string Model { get; init; } = ModelChoice.Both;

    /// <summary>What they are trained for, by name.</summary>
    public string Loss { get; init; } = Kernels.Operations.Loss.All[0].Name;

    /// <summary>The update rule, by name.</summary>
    public string Optimizer { get; init; } = Optimiser.All[0].Name;

    /// <summary>Of the update rule, null for its own.</summary>
    public double? Momentum { get; init; }

    /// <summary>Of the update rule, null for its own.</summary>
    public double? WeightDecay { get; init; }

    /// <summary>How pixels become the input.</summary>
    public NormaliseChoice Normalise { get; init; }

    /// <summary>What runs the kernels.</summary>
    public AcceleratorKind Accelerator { get; init; }

    /// <summary>Which of several devices.</summary>
    public int Device { get; init; }

    /// <summary>CPU threads; null for as many as the machine at hand has cores.</summary>
    public int? Threads { get; init; }

    /// <summary>Bytes of the device's memory that may be used, null for all.</summary>
    public long? DeviceMemory { get; init; }

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
    public ProtocolChoice Protocol { get; init; }

    /// <summary>Steps of warm-up, null for the protocol's.</summary>
    public int? WarmUp { get; init; }

    /// <summary>The norm at which the gradient is clipped, 0 for not, null for the protocol's.</summary>
    public double? ClipNorm { get; init; }

    /// <summary>How the learning rate goes on after warm-up.</summary>
    public Schedule Schedule { get; init; }

    /// <summary>How models upsample that do not say.</summary>
    public Interpolation Upsample { get; init; }

    /// <summary>First so many training images only.</summary>
    public int? TrainLimit { get; init; }

    /// <summary>First so many test images only.</summary>
    public int? TestLimit { get; init; }

    /// <summary>Seconds from one checkpoint to the next within an epoch.</summary>
    public double CheckpointEvery { get; init; } = 30;

    /// <summary>By name in <c>summary.json</c>, what may change without making the run another one: how long it goes on, what computes it, and where the data lies.</summary>
    internal static IReadOnlyList<string> MayChange { get; } =
        ["model", "accelerator", "device", "threads", "device_memory", "dataset", "data", "epochs", "checkpoint_every"];

    private static JsonSerializerOptions Format { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter(new LowerCase(), allowIntegerValues: false) },
    };

    /// <summary>
    /// Whether losses may be compared with the reference's. What the stable protocol adds to the convolutional model's first steps does
    /// not count; it is there to reach the same curve.
    /// </summary>
    internal bool FollowReference(DataSet data) => data.Name == Mnist.Name && this is
    {
        BatchSize: 10,
        LearningRate: 1,
        Schedule: Schedule.Constant,
        WarmUp: null,
        ClipNorm: null,
        TrainLimit: null,
        TestLimit: null,
        Upsample: Interpolation.Bilinear,
        Loss: "mse",
        Optimizer: "sgd",
        WeightDecay: null,
        Normalise: NormaliseChoice.Dataset,
    };

    /// <summary>The loss.</summary>
    /// <exception cref="UserError">There is none of this name.</exception>
    internal Loss LossOf() => Kernels.Operations.Loss.All.FirstOrDefault(loss => loss.Name == Loss)
        ?? throw new UserError(ExitCode.Usage, $"--loss '{Loss}' is unknown; known are {string.Join(", ", Kernels.Operations.Loss.All)}");

    /// <summary>The update rule.</summary>
    /// <exception cref="UserError">There is none of this name, or it does not take its numbers.</exception>
    internal Optimiser OptimiserOf()
    {
        try
        {
            return Optimiser.Named(Optimizer, new(Momentum, WeightDecay));
        }
        catch (ArgumentException e)
        {
            throw new UserError(ExitCode.Usage, $"--optimizer {Optimizer}: {e.Message.Split(" (Parameter")[0].ReplaceLineEndings(" ").TrimEnd('.')}", e);
        }
    }

    /// <summary>As recorded in <c>summary.json</c>: values as they are written on the command line.</summary>
    /// <remarks>Written out, for every run begins with it, and reflection is slow the first time.</remarks>
    public JsonObject ToJson() => new()
    {
        ["model"] = Model,
        ["loss"] = Loss,
        ["optimizer"] = Optimizer,
        ["momentum"] = Momentum,
        ["weight_decay"] = WeightDecay,
        ["normalise"] = NameOf(Normalise),
        ["accelerator"] = NameOf(Accelerator),
        ["device"] = Device,
        ["threads"] = Threads,
        ["device_memory"] = DeviceMemory,
        ["dataset"] = Dataset,
        ["data"] = Data,
        ["epochs"] = Epochs,
        ["batch_size"] = BatchSize,
        ["learning_rate"] = LearningRate,
        ["seed"] = Seed,
        ["protocol"] = NameOf(Protocol),
        ["warm_up"] = WarmUp,
        ["clip_norm"] = ClipNorm,
        ["schedule"] = NameOf(Schedule),
        ["upsample"] = NameOf(Upsample),
        ["train_limit"] = TrainLimit,
        ["test_limit"] = TestLimit,
        ["checkpoint_every"] = CheckpointEvery,
    };

    /// <summary>As read from <c>summary.json</c>.</summary>
    /// <exception cref="JsonException">These are not options, or such as no command line can give.</exception>
    public static TrainingOptions FromJson(JsonObject json)
    {
        var options = json.Deserialize<TrainingOptions>(Format) ?? throw new JsonException("there are no options");
        if (new TrainingOptions().ToJson().FirstOrDefault(option => !json.ContainsKey(option.Key)).Key is { } missing)
            throw new JsonException($"its options lack {missing}");
        options.Check();
        // Readers of JSON are lenient: they take "STABLE", or "stable, reference" for one of the two.
        var written = options.ToJson();
        if (json.FirstOrDefault(option => !written.ContainsKey(option.Key) || !JsonNode.DeepEquals(option.Value, written[option.Key])).Key is { } other)
            throw new JsonException($"its {other} is not as this program writes it");
        return options;
    }

    private void Check()
    {
        Require(Epochs >= 1, "epochs", Epochs);
        Require(BatchSize >= 1, "batch_size", BatchSize);
        Require((float)LearningRate > 0 && float.IsFinite((float)LearningRate), "learning_rate", LearningRate);
        Require(Device >= 0, "device", Device);
        Require(Threads is null or >= 1 and <= Kernels.Cpu.CpuExecutor.MaximalThreads, "threads", Threads);
        Require(DeviceMemory is null or >= 1, "device_memory", DeviceMemory);
        Require(IsAmount(Momentum), "momentum", Momentum);
        Require(IsAmount(WeightDecay), "weight_decay", WeightDecay);
        Require(WarmUp is null or >= 0, "warm_up", WarmUp);
        Require(IsAmount(ClipNorm), "clip_norm", ClipNorm);
        Require(TrainLimit is null or >= 1, "train_limit", TrainLimit);
        Require(TestLimit is null or >= 1, "test_limit", TestLimit);
        Require(CheckpointEvery >= 0 && double.IsFinite(CheckpointEvery), "checkpoint_every", CheckpointEvery);
        Require(Data is null || !string.IsNullOrWhiteSpace(Data) && !Data.Any(char.IsControl), "data", "no folder's name");
        Require(Dataset is null or SyntheticDigits.Name or Mnist.Name, "dataset", Dataset);
        try
        {
            ModelChoice.Check(this, DataSource.ImageShape);
        }
        catch (UserError e)
        {
            throw new JsonException(e.Message, e);
        }

        static bool IsAmount(double? value) => value is null || value >= 0 && float.IsFinite((float)value);

        static void Require(bool holds, string name, object? value)
        {
            if (!holds)
                throw new JsonException(string.Create(CultureInfo.InvariantCulture, $"its {name} is {value}, which no run can have"));
        }
    }

    private static string NameOf<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    private sealed class LowerCase : JsonNamingPolicy
    {
        public override string ConvertName(string name) => name.ToLowerInvariant();
    }
}
