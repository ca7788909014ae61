using System.CommandLine;
using System.CommandLine.Help;
using AutoencoderGpu.App.Commands;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.App;

internal static class Program
{
    /// <summary>About 110 are open at once, most of them parts of .NET.</summary>
    private const int LeastOpenFiles = 200;

    private static async Task<int> Main(string[] args)
    {
        Posix.ReportFilesTooLarge();
        // Opened before anything else, so that errors can be said where files can no longer be opened.
        var messages = StandardStream.Messages();
        if (Posix.MostOpenFiles() is < LeastOpenFiles and var most)
        {
            messages.WriteLine($"error: at most {most} files may be open (ulimit -n), and .NET with this program needs {LeastOpenFiles}");
            return (int)ExitCode.Failed;
        }

        var root = CreateRoot();
        var parsed = root.Parse(args, Parsing);
        // Only where it is read: it looks at all layers there are.
        if (parsed.Action is HelpAction)
            root.Description = Description();
        if (parsed.Errors.Count > 0)
        {
            foreach (var message in parsed.Errors.Select(error => error.Message.ReplaceLineEndings(" ")).Distinct())
                messages.WriteLine($"error: {message} (see --help)");
            return (int)ExitCode.Usage;
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                Output = StandardStream.Data(),
                Error = messages,
                EnableDefaultExceptionHandler = false,
                // StopSignals sees to them.
                ProcessTerminationTimeout = null,
            });
        }
        catch (UserError e)
        {
            messages.WriteLine($"error: {e.Message}");
            return (int)e.Code;
        }
    }

    /// <summary>A name that begins with @ is a file's, not that of more arguments.</summary>
    internal static ParserConfiguration Parsing { get; } = new() { ResponseFileTokenReplacer = null };

    /// <summary>All commands.</summary>
    internal static RootCommand CreateRoot()
    {
        var root = new RootCommand
        {
            TrainCommand.Create(),
            CompareCommand.Create(),
            EvalCommand.Create(),
            ReconstructCommand.Create(),
            DevicesCommand.Create(),
            BenchCommand.Create(),
            DataCommand.Create(),
        };
        TrainCommand.AddTo(root);
        return root;
    }

    private static string Description() => $"""
        Trains small autoencoders on MNIST with hand-written GPU kernels on CUDA, OpenCL or the CPU: a fully connected and a
        convolutional one whose results are published, or any that --model describes. Without a command it is `train`: both models,
        the stable protocol, plots and pictures at the end.

        Examples:
          autoencoder                                       both models, best accelerator, runs/<time>-<seed>
          autoencoder --accelerator cpu --model fc --epochs 2
          autoencoder --model 784-32-784 --optimizer adam --loss bce
          autoencoder --model "conv 16 relu, pool, flatten, dense 32 | dense 3136 relu, unflatten 14x14x16, up, conv 1 sigmoid"
          autoencoder compare --learning-rates 0.1,1        one plot and one table of both
          autoencoder eval --weights runs/…/fc/best.safetensors
          autoencoder reconstruct --weights runs/…/conv/best.safetensors photo.jpg
          autoencoder devices

        A model is written as layers with commas between, in forward order:
        {Forms()}
        ACTIVATION is one of {string.Join(", ", Notation.ActivationWords)}.

        Exit codes: 0 done, 1 failed, 2 wrong usage, 3 accelerator missing, failing or out of memory, 4 data missing or damaged,
        5 training collapsed; stopped after saving: 130 by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.
        """;

    private static string Forms() => string.Join("\n", Notation.Forms.Select(form => $"  {form.Form,-24}{form.Meaning}"));
}
