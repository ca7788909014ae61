using System.CommandLine;
using System.Globalization;
using AutoencoderGpu.App.Training;
using AutoencoderGpu.Kernels;

namespace AutoencoderGpu.App.Commands;

/// <summary>Parses what <see cref="TrainingRun"/> is to do.</summary>
internal static class TrainCommand
{
    private static readonly Option<ModelChoice> _model = CommonOptions.Choice<ModelChoice>("--model", "Which models to train");

    private static readonly Option<int> _epochs = CommonOptions.AtLeast("--epochs", 1, 10, "Passes over the training images");

    private static readonly Option<double> _learningRate = new("--learning-rate")
    {
        Description = "Step size of SGD",
        HelpName = "rate",
        DefaultValueFactory = _ => 1,
        CustomParser = result =>
        {
            if (double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var rate)
                && double.IsFinite((float)rate) && rate > 0)
            {
                return rate;
            }

            result.AddError($"--learning-rate takes a number above 0, not '{result.Tokens[0].Value}'");
            return 1;
        },
    };

    private static readonly Option<ulong> _seed = new("--seed")
    {
        Description = "Of initial values and of the order of images",
        HelpName = "n",
        DefaultValueFactory = _ => 1,
        CustomParser = result =>
        {
            if (ulong.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var seed))
                return seed;
            result.AddError($"--seed takes a whole number from 0 up, not '{result.Tokens[0].Value}'");
            return 1;
        },
    };

    private static readonly Option<ProtocolChoice> _protocol = CommonOptions.Choice<ProtocolChoice>(
        "--protocol", "stable adds warm-up and gradient clipping to the convolutional model; reference is bare SGD");

    private static readonly Option<Interpolation> _upsample = CommonOptions.Choice<Interpolation>(
        "--upsample", "How the convolutional model upsamples");

    private static readonly Option<int?> _trainLimit = CommonOptions.Limit("--train-limit", "First so many training images only");

    private static readonly Option<string?> _output = new("--output", "-o")
    {
        Description = "Folder of the run; default runs/<time>-<seed>",
        HelpName = "folder",
    };

    private static readonly Option<bool> _resume = new("--resume") { Description = "Go on from the last checkpoint in --output" };

    private static readonly Option<bool> _force = new("--force") { Description = "Overwrite the run in --output" };

    public static Command Create()
    {
        var command = new Command("train", "Trains the models and writes weights, metrics, plots and pictures into a run folder.");
        AddTo(command);
        return command;
    }

    /// <summary>Makes a command train; the root command does, too.</summary>
    public static void AddTo(Command command)
    {
        Option[] options =
        [
            _model, CommonOptions.Accelerator, CommonOptions.Device, CommonOptions.Threads, CommonOptions.Dataset, CommonOptions.Data,
            _epochs, CommonOptions.BatchSize, _learningRate, _seed, _protocol, _upsample, _trainLimit, CommonOptions.TestLimit,
            _output, _resume, _force,
        ];
        foreach (var option in options)
            command.Add(option);
        command.SetWork(async (parsed, terminal, cancellation) =>
        {
            var (options, folder, start) = parsed.GetValue(_resume) ? Resumed(parsed) : Fresh(parsed);
            await new TrainingRun(options, folder, terminal).RunAsync(start, cancellation);
        });
    }

    private static (TrainingOptions Options, RunFolder Folder, RunStart Start) Fresh(ParseResult parsed)
    {
        var options = Parse(parsed, new TrainingOptions());
        var folder = new RunFolder(parsed.GetValue(_output) ?? RunFolder.DefaultPath(options.Seed));
        return (options, folder, parsed.GetValue(_force) ? RunStart.Overwrite : RunStart.New);
    }

    private static (TrainingOptions Options, RunFolder Folder, RunStart Start) Resumed(ParseResult parsed)
    {
        var path = parsed.GetValue(_output)
            ?? throw new UserError(ExitCode.Usage, "--resume needs --output, the folder of the run to go on with");
        if (parsed.GetValue(_force))
            throw new UserError(ExitCode.Usage, "--resume and --force exclude each other: one keeps the run, the other overwrites it");
        var folder = new RunFolder(path);
        var recorded = folder.ReadOptions();
        var options = Parse(parsed, recorded);
        // What may change without making the run another one: how long it goes on, what computes it, and where the data lies.
        var comparable = options with
        {
            Epochs = recorded.Epochs,
            Accelerator = recorded.Accelerator,
            Device = recorded.Device,
            Threads = recorded.Threads,
            Data = recorded.Data,
            Model = recorded.Model,
        };
        if (comparable != recorded)
        {
            throw new UserError(
                ExitCode.Usage,
                $"{path} was begun with other options; --resume goes on with those and takes only --epochs, --model, --accelerator, --device, --threads and --data anew");
        }

        return (options, folder, RunStart.Resume);
    }

    /// <summary>The options that are given, over those that stand otherwise.</summary>
    private static TrainingOptions Parse(ParseResult parsed, TrainingOptions standard)
    {
        T Get<T>(Option<T> option, T otherwise) =>
            parsed.GetResult(option) is { Implicit: false } ? parsed.GetValue(option)! : otherwise;
        return new()
        {
            Model = Get(_model, standard.Model),
            Accelerator = Get(CommonOptions.Accelerator, standard.Accelerator),
            Device = Get(CommonOptions.Device, standard.Device),
            Threads = Get(CommonOptions.Threads, standard.Threads),
            Dataset = Get(CommonOptions.Dataset, standard.Dataset),
            Data = Get(CommonOptions.Data, standard.Data),
            Epochs = Get(_epochs, standard.Epochs),
            BatchSize = Get(CommonOptions.BatchSize, standard.BatchSize),
            LearningRate = Get(_learningRate, standard.LearningRate),
            Seed = Get(_seed, standard.Seed),
            Protocol = Get(_protocol, standard.Protocol),
            Upsample = Get(_upsample, standard.Upsample),
            TrainLimit = Get(_trainLimit, standard.TrainLimit),
            TestLimit = Get(CommonOptions.TestLimit, standard.TestLimit),
        };
    }
}
