using System.CommandLine;
using AutoencoderGpu.App.Commands;
using AutoencoderGpu.App.Data;
using AutoencoderGpu.Benchmarks.Sides;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.Benchmarks;

internal static class Program
{
    private static readonly Option<int> _threads = Numbers.AtLeast(
        "--threads", 1, Math.Min(2, Environment.ProcessorCount), "Threads of each side");

    private static readonly Option<int> _seconds = Numbers.AtLeast("--seconds", 1, 5, "Seconds of each side of a comparison");

    private static readonly Option<int> _repeat = Numbers.AtLeast("--repeat", 1, 3, "How often everything is compared");

    private static readonly Option<string?> _case = new("--case")
    {
        Description = "Compares this case only and writes nothing: " + string.Join(", ", Case.All.Select(work => work.Key)),
        HelpName = "name",
    };

    private static readonly Option<string> _output = new("--output", "-o")
    {
        Description = "Folder of the results",
        HelpName = "folder",
        DefaultValueFactory = _ => Path.Combine("benchmarks", "results"),
    };

    private static readonly Option<string?> _published = new("--published")
    {
        Description = "The published program, the start of which is measured beside that of the one which was built",
        HelpName = "file",
    };

    private static readonly Option<bool> _quick = new("--quick") { Description = "Short and rough, to see that everything works" };

    private static readonly Option<string?> _dataset = new("--dataset")
    {
        Description = "mnist or synthetic; default mnist where it is at hand",
        HelpName = "name",
    };

    // What this program says to itself.
    private static readonly Option<string?> _side = new("--side") { Hidden = true };
    private static readonly Option<string> _weights = new("--weights") { Hidden = true };

    private static async Task<int> Main(string[] args)
    {
        // The start of the runtime by itself is what is timed.
        if (args is ["--side", "nothing"])
            return 0;
        var root = new RootCommand("Trains the autoencoders with libtorch and with this program by turns, and writes down how they compare.")
        {
            _threads, _seconds, _repeat, _case, _output, _published, _quick, _dataset, _side, _weights,
        };
        root.SetAction(RunAsync);
        return await root.Parse(args).InvokeAsync();
    }

    private static Task RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        if (parsed.GetValue(_side) is { } side)
            return ServeAsync(side, parsed, cancellation);
        var scratch = Directory.CreateTempSubdirectory("autoencoder-benchmarks-");
        try
        {
            var isQuick = parsed.GetValue(_quick);
            var isMnistAtHand = new DataSource().Describe(null)[0].Missing.Count == 0;
            var settings = new Settings(
                parsed.GetValue(_threads),
                isQuick ? 1 : parsed.GetValue(_seconds),
                isQuick ? 1 : parsed.GetValue(_repeat),
                isQuick,
                parsed.GetValue(_dataset) ?? (isMnistAtHand ? Mnist.Name : SyntheticDigits.Name),
                parsed.GetValue(_output)!,
                parsed.GetValue(_published),
                scratch.FullName);
            Compare(settings, parsed.GetValue(_case));
        }
        finally
        {
            scratch.Delete(recursive: true);
        }

        return Task.CompletedTask;
    }

    private static void Compare(Settings settings, string? only)
    {
        var comparisons = new List<Comparison>();
        for (var repeat = 0; repeat < settings.Repeats; repeat++)
        {
            foreach (var work in Case.All.Where(work => only is null || work.Key == only))
            {
                var comparison = Comparison.Measure(work, settings);
                comparisons.Add(comparison);
                Console.WriteLine(Report.Line(comparison));
            }
        }

        if (only is not null)
            return;
        Say("start to the first training step");
        string[] datasets = [SyntheticDigits.Name, settings.Dataset];
        Start[] starts =
        [
            .. from dataset in datasets.Distinct()
               from work in Case.All.Take(2)
               from program in (string[])[Programs.Autoencoder, .. settings.Published is { } path ? [Path.GetFullPath(path)] : Array.Empty<string>()]
               select new Start(
                   work.Network, dataset, program != Programs.Autoencoder, WholeProgram.StartToFirstStep(program, work.Model, dataset, settings)),
        ];
        var runtime = WholeProgram.StartOfRuntime(settings);
        Say("peak memory of an epoch of both models");
        var memory = WholeProgram.PeakMemory(settings);
        Say("each operation");
        var timings = Timings.Measure(settings, 10, 100);
        var report = new Report(settings, comparisons, starts, runtime, memory, timings);
        Console.WriteLine(report.Save());
    }

    private static async Task ServeAsync(string side, ParseResult parsed, CancellationToken cancellation)
    {
        var data = await new DataSource().LoadAsync(new(parsed.GetValue(_dataset)), null, Say, cancellation);
        var input = new SideInput(
            Case.Of(parsed.GetValue(_case)!), parsed.GetValue(_threads), data, Safetensors.Load(parsed.GetValue(_weights)!));
        using Side served = side == "torch" ? new TorchSide(input) : new OwnSide(input);
        served.Serve(Console.In, Console.Out);
    }

    private static void Say(string line) => Console.Error.WriteLine(line);
}
