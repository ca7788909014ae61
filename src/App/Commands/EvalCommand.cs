using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using AutoencoderGpu.App.Data;
using AutoencoderGpu.App.Training;
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Devices;
using AutoencoderGpu.Models;
using Spectre.Console;

namespace AutoencoderGpu.App.Commands;

/// <summary>The test loss of saved weights.</summary>
internal static class EvalCommand
{
    public static Option<string> WeightsOption { get; } = new("--weights")
    {
        Description = "A safetensors file with PyTorch's names and shapes, such as RUN/fc/best.safetensors",
        HelpName = "file",
        Required = true,
    };

    public static Option<Interpolation> Upsample { get; } = CommonOptions.Choice<Interpolation>(
        "--upsample", "How the published convolutional model upsamples; weights of this program tell it");

    public static Command Create()
    {
        var command = new Command("eval", "Prints the test loss of saved weights; the file says which model they are of, by its metadata or its tensors' names.")
            .With([
                WeightsOption, Upsample, .. CommonOptions.Hardware,
                CommonOptions.Dataset, CommonOptions.Data, CommonOptions.TestLimit, CommonOptions.BatchSize]);
        command.SetWork(RunAsync);
        return command;
    }

    /// <summary>What is given; null for what the weights say.</summary>
    public static Interpolation? GivenUpsample(ParseResult parsed) =>
        parsed.GetResult(Upsample) is { Implicit: false } ? parsed.GetValue(Upsample) : null;

    /// <summary>
    /// Images that are evaluated together, whatever mini-batches their losses are averaged over: many for the large weights of dense
    /// layers, few for the large maps of convolutions, so that either stay in the cache.
    /// </summary>
    public static int ImagesAtOnce(Network network) => network.Layers.Any(layer => layer is ConvLayer) ? 10 : 100;

    private static async Task RunAsync(ParseResult parsed, Terminal terminal, StopSignals signals)
    {
        var path = parsed.GetRequiredValue(WeightsOption);
        WeightsFile.RequireFile(path);
        // Before the files are read, since ILGPU sets itself up in the meantime.
        using var executor = CommonOptions.Open(parsed, terminal);
        var network = WeightsFile.NetworkOf(path, GivenUpsample(parsed));
        // Only test images are used; one training image is the least that can be asked for.
        var data = await CommonOptions.LoadDataAsync(
            new(parsed.GetValue(CommonOptions.Dataset), parsed.GetValue(CommonOptions.Data), 1, parsed.GetValue(CommonOptions.TestLimit)),
            terminal,
            signals.Token);
        WeightsFile.RequireShape(path, network, data.Test.Shape);
        using var model = new Model(executor, network, Math.Min(ImagesAtOnce(network), data.Test.Count), trains: false);
        WeightsFile.Load(path, model);
        using var feed = executor.CreateFeed(data.Test.Pixels, network.Input.Size, model.BatchSize);
        var miniBatch = parsed.GetValue(CommonOptions.BatchSize);
        var floor = LossFloor.Of(data.Test, network);
        var loss = Losses.Evaluate(model, feed, miniBatch, signals.Token);
        var parameters = TrainingRun.CountsOf(model.Parameters);
        if (terminal.IsJson)
        {
            terminal.WriteJson(new JsonObject
            {
                ["model"] = network.Name,
                ["notation"] = Notation.Of(network),
                ["loss"] = network.Loss.Name,
                ["test_loss"] = double.IsFinite(loss) ? loss : null,
                ["floor"] = floor,
                ["excess"] = double.IsFinite(loss) ? loss - floor : null,
                ["parameters"] = new JsonObject
                {
                    ["total"] = parameters.Total,
                    ["encoder"] = parameters.Encoder,
                    ["decoder"] = parameters.Decoder,
                },
                ["accelerator"] = Accelerators.OptionOf(executor.Kind),
                ["dataset"] = new JsonObject
                {
                    ["name"] = data.Name,
                    ["origin"] = data.Origin,
                    ["is_fallback"] = data.IsFallback,
                    ["test_count"] = data.Test.Count,
                },
                ["batch_size"] = miniBatch,
            }.ToJsonString());
            return;
        }

        var table = Terminal.Table("model", ">parameters", "data", ">images", ">test loss", ">floor", ">over the floor");
        table.AddRow(
            network.Name,
            parameters.Total.ToString("N0", CultureInfo.InvariantCulture),
            data.Name,
            data.Test.Count.ToString("N0", CultureInfo.InvariantCulture),
            loss.ToString("0.00000", CultureInfo.InvariantCulture),
            floor.ToString("0.00000", CultureInfo.InvariantCulture),
            (loss - floor).ToString("0.00000", CultureInfo.InvariantCulture));
        terminal.Show(table);
    }
}
