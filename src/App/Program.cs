using System.CommandLine;
using System.CommandLine.Help;
using AutoencoderGpu.App.Commands;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.App;

internal static class Program
{
    private static async Task<int> Main(string[] args)
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
        var parsed = root.Parse(args);
        // Only where it is read: it looks at all layers there are.
        if (parsed.Action is HelpAction)
            root.Description = Description();
        if (parsed.Errors.Count > 0)
        {
            foreach (var message in parsed.Errors.Select(error => error.Message.ReplaceLineEndings(" ")).Distinct())
                await Console.Error.WriteLineAsync($"error: {message} (see --help)");
            return (int)ExitCode.Usage;
        }

        return await parsed.InvokeAsync(new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,
            // Training saves on Ctrl-C before it ends; that takes the rest of a chunk and one small file.
            ProcessTerminationTimeout = TimeSpan.FromSeconds(30),
        });
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
        5 training collapsed, 130 stopped by Ctrl-C after saving.
        """;

    private static string Forms() => string.Join("\n", Notation.Forms.Select(form => $"  {form.Form,-24}{form.Meaning}"));
}
