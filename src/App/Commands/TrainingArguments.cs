using System.CommandLine;
using System.Text.Json.Nodes;
using AutoencoderGpu.App.Training;
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Operations;

namespace AutoencoderGpu.App.Commands;

/// <summary>The options that decide how models are trained and where a run goes, for <c>train</c> and <c>compare</c>.</summary>
internal static class TrainingArguments
{
    /// <summary>Which networks.</summary>
    public static Option<string[]> Model { get; } = new("--model")
    {
        Description = "fc, conv, both [default: both], or layers as `autoencoder --help` shows them; may be given several times, or once with semicolons between",
        HelpName = "model",
        AllowMultipleArgumentsPerToken = false,
    };

    private static readonly Option<string> _loss = CommonOptions.Name("--loss", "What is minimised", [.. Loss.All.Select(loss => loss.Name)]);

    private static readonly Option<string> _optimizer = CommonOptions.Name(
        "--optimizer", "The update rule", [.. Optimiser.All.Select(optimiser => optimiser.Name)]);

    private static readonly Option<double?> _momentum = Numbers.OptionalReal("--momentum", "Of an optimizer that has one; default its own");

    private static readonly Option<double?> _weightDecay = Numbers.OptionalReal(
        "--weight-decay", "Of an optimizer that has one; default its own");

    private static readonly Option<NormaliseChoice> _normalise = CommonOptions.Choice<NormaliseChoice>(
        "--normalise", "How pixels become the input: by the data set's mean and deviation, or not at all");

    private static readonly Option<int> _epochs = Numbers.AtLeast("--epochs", 1, 10, "Passes over the training images");

    private static readonly Option<ProtocolChoice> _protocol = CommonOptions.Choice<ProtocolChoice>(
        "--protocol", "stable adds warm-up and gradient clipping to SGD of convolutional models; reference adds nothing");

    private static readonly Option<Interpolation> _upsample = CommonOptions.Choice<Interpolation>(
        "--upsample", "How models upsample that do not say");

    private static readonly Option<Schedule> _schedule = CommonOptions.Choice<Schedule>(
        "--schedule", "How the learning rate goes on after warm-up; cosine lets it fall to nothing at the end");

    private static readonly Option<int?> _warmUp = Numbers.OptionalWhole(
        "--warm-up", "Steps over which the learning rate rises, 0 for none; default by protocol");

    private static readonly Option<double?> _clipNorm = Numbers.OptionalReal(
        "--clip-norm", "Norm at which the gradient of all parameters is clipped, 0 for not; default by protocol");

    private static readonly Option<int?> _trainLimit = Numbers.Limit("--train-limit", "First so many training images only");

    private static readonly Option<double> _checkpointEvery = Numbers.One(
        "--checkpoint-every", "Seconds from one checkpoint to the next within an epoch; there is one after each epoch anyway", "seconds", 30.0, Numbers.ParseAmount, "a number from 0 up");

    /// <summary>The folder to write.</summary>
    public static Option<string?> Output { get; } = new("--output", "-o")
    {
        Description = "Folder to write; default runs/<time>-<seed>, of a comparison runs/<time>-compare",
        HelpName = "folder",
    };

    private static readonly Option<bool> _resume = new("--resume") { Description = "Go on from the last checkpoint in --output" };

    private static readonly Option<bool> _force = new("--force") { Description = "Overwrite what is in --output" };

    /// <summary>Those that decide which instructions a step has.</summary>
    public static IEnumerable<Option> OfModel => [Model, _loss, _optimizer, _momentum, _weightDecay, _clipNorm, _upsample];

    /// <summary>All of them, in the order of the help text; <paramref name="varied"/> stand for the learning rate and the seed.</summary>
    public static IEnumerable<Option> All(params Option[] varied) =>
    [
        Model, .. CommonOptions.Hardware, CommonOptions.Dataset, CommonOptions.Data, _normalise,
        _epochs, CommonOptions.BatchSize, .. varied, _loss, _optimizer, _momentum, _weightDecay, _protocol, _warmUp, _clipNorm, _schedule, _upsample, _trainLimit,
        CommonOptions.TestLimit, Output, _checkpointEvery, _resume, _force,
    ];

    /// <summary>How to treat what is in <see cref="Output"/>.</summary>
    /// <exception cref="UserError">The options contradict each other.</exception>
    public static RunStart StartOf(ParseResult parsed)
    {
        var (resume, force) = (parsed.GetValue(_resume), parsed.GetValue(_force));
        if (resume && parsed.GetValue(Output) is null)
            throw new UserError(ExitCode.Usage, "--resume needs --output, the folder of the run to go on with");
        if (resume && force)
            throw new UserError(ExitCode.Usage, "--resume and --force exclude each other: one keeps the run, the other overwrites it");
        return resume ? RunStart.Resume : force ? RunStart.Overwrite : RunStart.New;
    }

    /// <summary>What an option is given, or <paramref name="otherwise"/>.</summary>
    public static T Given<T>(ParseResult parsed, Option<T> option, T otherwise) =>
        parsed.GetResult(option) is { Implicit: false } ? parsed.GetValue(option)! : otherwise;

    /// <summary>The models that are given, or others.</summary>
    public static string ModelOf(ParseResult parsed, string otherwise) =>
        parsed.GetResult(Model) is { Implicit: false } ? ModelChoice.Join(parsed.GetValue(Model)!) : otherwise;

    /// <summary>The learning rate where none is given: that of the update rule.</summary>
    public static double UsualRate(ParseResult parsed) =>
        Optimiser.All.First(optimiser => optimiser.Name == Given(parsed, _optimizer, Optimiser.All[0].Name)).LearningRate;

    /// <summary>The options that are given, over those that stand otherwise; learning rate and seed stay.</summary>
    public static TrainingOptions Parse(ParseResult parsed, TrainingOptions standard) => new()
    {
        Model = ModelOf(parsed, standard.Model),
        Loss = Given(parsed, _loss, standard.Loss),
        Optimizer = Given(parsed, _optimizer, standard.Optimizer),
        Momentum = Given(parsed, _momentum, standard.Momentum),
        WeightDecay = Given(parsed, _weightDecay, standard.WeightDecay),
        Normalise = Given(parsed, _normalise, standard.Normalise),
        Accelerator = Given(parsed, CommonOptions.Accelerator, standard.Accelerator),
        Device = Given(parsed, CommonOptions.Device, standard.Device),
        Threads = parsed.GetResult(CommonOptions.Threads) is { Implicit: false } ? parsed.GetValue(CommonOptions.Threads) : standard.Threads,
        DeviceMemory = Given(parsed, CommonOptions.DeviceMemory, standard.DeviceMemory),
        Dataset = Given(parsed, CommonOptions.Dataset, standard.Dataset),
        Data = Given(parsed, CommonOptions.Data, standard.Data),
        Epochs = Given(parsed, _epochs, standard.Epochs),
        BatchSize = Given(parsed, CommonOptions.BatchSize, standard.BatchSize),
        LearningRate = standard.LearningRate,
        Seed = standard.Seed,
        Protocol = Given(parsed, _protocol, standard.Protocol),
        WarmUp = Given(parsed, _warmUp, standard.WarmUp),
        ClipNorm = Given(parsed, _clipNorm, standard.ClipNorm),
        Schedule = Given(parsed, _schedule, standard.Schedule),
        Upsample = Given(parsed, _upsample, standard.Upsample),
        TrainLimit = Given(parsed, _trainLimit, standard.TrainLimit),
        TestLimit = Given(parsed, CommonOptions.TestLimit, standard.TestLimit),
        CheckpointEvery = Given(parsed, _checkpointEvery, standard.CheckpointEvery),
    };

    /// <summary>Looks whether a run that was begun with other options may go on with these.</summary>
    /// <param name="path">Of the run.</param>
    /// <param name="options">As given.</param>
    /// <param name="recorded">As it was begun with.</param>
    /// <param name="others">Options that may change, too, each with a comma behind it.</param>
    /// <exception cref="UserError">It would be another run.</exception>
    public static void CheckResumed(string path, TrainingOptions options, TrainingOptions recorded, string others = "")
    {
        var (given, begun) = (options.ToJson(), recorded.ToJson());
        if (given.FirstOrDefault(option => !TrainingOptions.MayChange.Contains(option.Key) && !JsonNode.DeepEquals(option.Value, begun[option.Key])).Key is { } changed)
        {
            throw new UserError(
                ExitCode.Usage,
                $"{path} was begun with other options ({changed} {begun[changed]?.ToJsonString() ?? "none"}); --resume goes on with those and takes only {others}--epochs, --model, --accelerator, --device, --threads, --device-memory, --checkpoint-every and --data anew");
        }

        if (options.Schedule != Schedule.Constant && options.Epochs != recorded.Epochs)
        {
            throw new UserError(
                ExitCode.Usage, $"{path} was begun for {recorded.Epochs} epochs, and its --schedule depends on their number; it cannot go on to {options.Epochs}");
        }
    }
}
