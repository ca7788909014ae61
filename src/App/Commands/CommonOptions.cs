using System.CommandLine;
using AutoencoderGpu.App.Data;
using AutoencoderGpu.App.Training;
using AutoencoderGpu.Kernels.Cpu;
using AutoencoderGpu.Kernels.Devices;
using AutoencoderGpu.Kernels.Executors;
using Spectre.Console;

namespace AutoencoderGpu.App.Commands;

/// <summary>Options that several commands share, and what every command does around its work.</summary>
internal static class CommonOptions
{
    public static Option<bool> Json { get; } = new("--json") { Description = "One JSON object on standard output at the end" };

    public static Option<bool> Quiet { get; } = new("--quiet", "-q") { Description = "No progress and no messages but errors" };

    public static Option<bool> NoColor { get; } = new("--no-color") { Description = "No colours (NO_COLOR is honoured too)" };

    public static Option<bool> Verbose { get; } = new("--verbose") { Description = "Stack traces with errors" };

    public static Option<AcceleratorKind> Accelerator { get; } = Choice<AcceleratorKind>(
        "--accelerator", "What runs the kernels; auto takes CUDA, then an OpenCL GPU, then the CPU");

    public static Option<int> Device { get; } = Numbers.AtLeast("--device", 0, 0, "Which of several devices of the accelerator");

    public static Option<int> Threads { get; } = Numbers.AtLeast(
        "--threads", 1, Math.Min(Environment.ProcessorCount, CpuExecutor.MaximalThreads), "CPU threads", maximum: CpuExecutor.MaximalThreads);

    public static Option<long?> DeviceMemory { get; } = Numbers.Bytes(
        "--device-memory", "Most of the device's memory to use; images that do not fit are streamed; default all that is free");

    /// <summary>What runs the kernels, in the order of the help text.</summary>
    public static IEnumerable<Option> Hardware { get; } = [Accelerator, Device, Threads, DeviceMemory];

    public static Option<string?> Dataset { get; } = new("--dataset")
    {
        Description = "mnist or synthetic (digits drawn by the program); default mnist, where it is not to be had synthetic",
        HelpName = "name",
    };

    public static Option<string?> Data { get; } = new("--data")
    {
        Description = "Folder of MNIST's four IDX files, gzip-compressed or not; default $AUTOENCODER_DATA, then the user's cache",
        HelpName = "folder",
    };

    public static Option<int?> TestLimit { get; } = Numbers.Limit("--test-limit", "First so many test images only");

    public static Option<int> BatchSize { get; } = Numbers.AtLeast("--batch-size", 1, 10, "Images of a mini-batch");

    /// <summary>An option that takes one of an enumeration's names in lower case; its first value is the default.</summary>
    public static Option<T> Choice<T>(string name, string description)
        where T : struct, Enum
    {
        // The simulator is for tests of the portable kernels; it is accepted without being advertised.
        var names = Enum.GetNames<T>().Select(value => value.ToLowerInvariant()).Where(value => value != "simulator").ToArray();
        return new Option<T>(name)
        {
            Description = $"{description} [default: {names[0]}]",
            HelpName = string.Join('|', names),
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (Enum.TryParse<T>(text, ignoreCase: true, out var value) && Enum.IsDefined(value) && !char.IsDigit(text[0]))
                    return value;
                result.AddError($"{name} '{text}' is unknown; known are {string.Join(", ", names)}");
                return default;
            },
        };
    }

    /// <summary>An option that takes one of some names; the first is the default.</summary>
    public static Option<string> Name(string name, string description, IReadOnlyList<string> names) => new(name)
    {
        Description = $"{description} [default: {names[0]}]",
        HelpName = string.Join('|', names),
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value.ToLowerInvariant();
            if (!names.Contains(text))
                result.AddError($"{name} '{text}' is unknown; known are {string.Join(", ", names)}");
            return text;
        },
    };

    /// <summary>Adds options.</summary>
    public static Command With(this Command command, IEnumerable<Option> options)
    {
        foreach (var option in options)
            command.Add(option);
        return command;
    }

    /// <summary>Adds the options that every command has, and runs its work with errors reported in one line.</summary>
    public static void SetWork(this Command command, Func<ParseResult, Terminal, StopSignals, Task> work)
    {
        command.Add(Json);
        command.Add(Quiet);
        command.Add(NoColor);
        command.Add(Verbose);
        command.SetAction(async (parsed, _) =>
        {
            var terminal = new Terminal(parsed.GetValue(Json), parsed.GetValue(Quiet), parsed.GetValue(NoColor));
            using var signals = new StopSignals(terminal);
            try
            {
                await work(parsed, terminal, signals);
                return (int)ExitCode.Done;
            }
            catch (Exception e)
            {
                return Report(e, terminal, signals, parsed.GetValue(Verbose));
            }
        });
    }

    /// <summary>Opens the accelerator that the options name.</summary>
    /// <exception cref="UserError">It is not there.</exception>
    public static Executor Open(ParseResult parsed, Terminal terminal) =>
        Open(parsed.GetValue(Accelerator), parsed.GetValue(Device), parsed.GetValue(Threads), parsed.GetValue(DeviceMemory), terminal);

    /// <inheritdoc cref="Open(ParseResult, Terminal)"/>
    public static Executor Open(TrainingOptions options, Terminal terminal) =>
        Open(
        options.Accelerator, options.Device, options.Threads ?? Math.Min(Environment.ProcessorCount, CpuExecutor.MaximalThreads), options.DeviceMemory, terminal);

    private static Executor Open(AcceleratorKind kind, int device, int threads, long? memory, Terminal terminal)
    {
        try
        {
            var executor = Accelerators.Open(kind, device, threads);
            if (executor.Kind == AcceleratorKind.Cpu && threads > Environment.ProcessorCount)
                terminal.Warn($"--threads {threads} is more than the {Environment.ProcessorCount} cores that there are: threads wait for each other then, and {Environment.ProcessorCount} would be faster");
            executor.MemoryLimit = memory;
            executor.Warn = terminal.Warn;
            return executor;
        }
        catch (FormatException e)
        {
            throw new UserError(ExitCode.Usage, e.Message, e);
        }
        catch (AcceleratorException e)
        {
            throw new UserError(
                ExitCode.NoAccelerator, $"--accelerator {Accelerators.OptionOf(kind)}: {e.Message}; `autoencoder devices` lists what is there", e);
        }
    }

    /// <summary>Loads a data set with a progress bar for downloads.</summary>
    public static async Task<DataSet> LoadDataAsync(DataRequest request, Terminal terminal, CancellationToken cancellation)
    {
        using var bars = new DownloadBars(terminal);
        return await new DataSource().LoadAsync(request, bars, terminal.Warn, cancellation);
    }

    private static string RemedyFor(Exception e) => e switch
    {
        _ when AcceleratorErrors.IsOutOfHostMemory(e) => "give the program more, or take a smaller model, --batch-size or --train-limit",
        _ when AcceleratorErrors.IsOutOfMemory(e) => Room.Remedy,
        _ => "--accelerator or --device names another device, --verbose shows where",
    };

    private static int Report(Exception e, Terminal terminal, StopSignals signals, bool verbose)
    {
        var (code, message) = e switch
        {
            UserError error => (error.Code, error.Message),
            OperationCanceledException => (ExitCode.Interrupted, ""),
            OverflowException => (ExitCode.Usage, "--batch-size or the model is too large: its maps or weights would have more than 2³¹ values"),
            _ when AcceleratorErrors.Explain(e) is { } failure => (ExitCode.NoAccelerator, $"{failure}; {RemedyFor(e)}"),
            // A part of the program or of .NET; the message of the system names it.
            FileLoadException or TypeInitializationException or FileNotFoundException { FileName: not null } => (
                ExitCode.Failed, $"a part of the program cannot be loaded ({e.GetBaseException().Message.Trim()}); a limit on open files (ulimit -n) below 256 may be the reason, or files that are missing"),
            _ => (ExitCode.Failed, $"this should not have happened, please report it with what --verbose adds: {e.GetType().Name}: {e.Message}"),
        };
        var isStop = code == ExitCode.Interrupted;
        if (isStop)
            signals.SayStopped(message);
        else
            terminal.Messages.MarkupLine($"[bold red]error:[/] {Markup.Escape(message.ReplaceLineEndings(" "))}");
        if (verbose && !isStop)
            terminal.Messages.WriteLine(e.ToString());
        return (int)(isStop ? signals.Code : code);
    }
}
