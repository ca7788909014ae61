using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using AutoencoderGpu.App.Data;
using AutoencoderGpu.App.Images;
using AutoencoderGpu.App.Reports;
using AutoencoderGpu.App.Training;
using AutoencoderGpu.Models;
using Spectre.Console;

namespace AutoencoderGpu.App.Commands;

/// <summary>A picture of what saved weights make of images.</summary>
internal static class ReconstructCommand
{
    private static readonly Argument<string[]> _images = new("image")
    {
        Description = "PNG, JPEG, BMP or WebP of one digit, dark on light or light on dark, any size; it is cut out, scaled and centred as "
            + "MNIST's were. Two test images a class where none is named",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<bool> _asIs = new("--as-is")
    {
        Description = "Only scale the images to 28×28; digits should be white on black, and centred",
    };

    private static readonly Option<string?> _output = new("--output", "-o")
    {
        Description = "The picture to write; default reconstructions-<model>.png",
        HelpName = "file.png",
    };

    private static readonly Option<bool> _force = new("--force") { Description = "Overwrite the picture if it exists" };

    public static Command Create()
    {
        var command = new Command("reconstruct", "Draws images beside their reconstructions by saved weights.") { _images }
            .With([
                _asIs, EvalCommand.WeightsOption, EvalCommand.Upsample, _output, _force, .. CommonOptions.Hardware,
                CommonOptions.Dataset, CommonOptions.Data]);
        command.SetWork(RunAsync);
        return command;
    }

    private static async Task RunAsync(ParseResult parsed, Terminal terminal, StopSignals signals)
    {
        var weights = parsed.GetRequiredValue(EvalCommand.WeightsOption);
        var paths = parsed.GetValue(_images) ?? [];
        var network = WeightsFile.NetworkOf(weights, EvalCommand.GivenUpsample(parsed));
        WeightsFile.RequireShape(weights, network, DataSource.ImageShape);
        var output = parsed.GetValue(_output) ?? $"reconstructions-{network.Name}.png";
        if (string.IsNullOrWhiteSpace(output) || Directory.Exists(output))
            throw new UserError(ExitCode.Usage, $"--output '{output}' is not a file's name; it names the picture to write");
        // Pipes and devices are written into.
        if (File.Exists(output) && Posix.SpecialKindOf(output) is null && !parsed.GetValue(_force))
            throw new UserError(ExitCode.Usage, $"{output} exists already; --force overwrites it, --output names another file");
        byte[][] pictures = [.. paths.Select(path => Read(path, parsed.GetValue(_asIs)))];

        using var executor = CommonOptions.Open(parsed, terminal);
        using var model = new Model(executor, network, Math.Clamp(paths.Length, 1, 10), trains: false);
        WeightsFile.Load(weights, model);
        IReadOnlyList<Reconstruction> results;
        var isFallback = false;
        if (paths.Length > 0)
        {
            // Labels of a user's images are not known; the picture leaves them out.
            var images = new ImageSet([.. pictures.SelectMany(pixels => pixels)], new byte[paths.Length], network.Input.Height, network.Input.Width);
            results = [.. Reconstructions.Of(executor, model, images)
                .Zip(paths, (result, path) => result with { Label = -1, Name = Path.GetFileName(path) })];
        }
        else
        {
            var data = await CommonOptions.LoadDataAsync(
                new(parsed.GetValue(CommonOptions.Dataset), parsed.GetValue(CommonOptions.Data), 1, null), terminal, signals.Token);
            results = Reconstructions.OfTestImages(executor, model, data.Test);
            isFallback = data.IsFallback;
        }

        var mean = results.Average(result => result.Loss);
        ReconstructionMontage.Save(
            output,
            results,
            network.FullName,
            string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(weights)} · {results.Count} images · mean loss {mean:0.0000}"),
            isFallback,
            RunReport.LossTitleOf(network));
        if (terminal.IsJson)
        {
            terminal.WriteJson(new JsonObject
            {
                ["model"] = network.Name,
                ["output"] = output,
                ["losses"] = new JsonArray([.. results.Select(result => double.IsFinite(result.Loss) ? (JsonNode)result.Loss : null)]),
            }.ToJsonString());
        }

        terminal.Say($"{results.Count} reconstructions, mean loss {mean:0.0000}, drawn into [bold]{Markup.Escape(output)}[/]");
    }

    private static byte[] Read(string path, bool asIs) => asIs
        ? Picture.ReadGrey28(path)
        : DigitImage.Prepare(Picture.ReadGrey(path)) ?? throw new UserError(
            ExitCode.Data,
            $"No digit found in {path}: nothing stands out from its background; take a picture of one digit that does, or try --as-is.");
}
