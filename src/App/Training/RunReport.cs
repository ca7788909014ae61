using System.Globalization;
using AutoencoderGpu.App.Data;
using AutoencoderGpu.App.Reports;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Operations;
using AutoencoderGpu.Models;
using Spectre.Console;

namespace AutoencoderGpu.App.Training;

/// <summary>What a run says on the terminal.</summary>
internal static class RunReport
{
    /// <summary>Before the first model: the data and the device.</summary>
    public static string Opening(DataSet data, Executor executor) =>
        $"Training on [bold]{Markup.Escape(data.Name)}[/] ({Markup.Escape(data.Origin)}): "
        + $"{data.Train.Count:N0} images, {data.Test.Count:N0} to test, with {Markup.Escape(executor.Description)}";

    /// <summary>Before a model's first epoch: its size and protocol.</summary>
    public static string Opening(Network network, Model model, TrainingOptions options)
    {
        var counts = TrainingRun.CountsOf(model.Parameters);
        return $"[bold]{Markup.Escape(network.Title)}[/] {counts.Total:N0} parameters ({counts.Encoder:N0} encoder, {counts.Decoder:N0} decoder), "
            + $"{Protocol.Of(options, network).Describe(options.OptimiserOf())}{(network.Loss == Kernels.Operations.Loss.All[0] ? "" : $", {network.Loss.Title}")}, learning rate {RateText.Of(options.LearningRate)}, mini-batches of {model.BatchSize}, seed {options.Seed}";
    }

    /// <summary>After an epoch: its losses, as distances from their floors too, and the reference's.</summary>
    public static string Line(EpochRecord epoch, (double Train, double Test) floors, bool comparesWithReference)
    {
        var published = comparesWithReference && ReferenceCurves.Of(epoch.Model, epoch.Epoch) is { } reference
            ? string.Create(CultureInfo.InvariantCulture, $"  reference {reference.TestLoss:0.00000} ({Signed(epoch.TestLoss - reference.TestLoss)})")
            : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"  epoch {epoch.Epoch,2}  train {epoch.TrainLoss:0.00000} = floor + {epoch.TrainLoss - floors.Train:0.00000}  test [bold]{epoch.TestLoss:0.00000}[/] = floor + {epoch.TestLoss - floors.Test:0.00000}{published}  {epoch.Seconds:0.0} s");
    }

    /// <summary>At the end: every epoch beside the reference's where that applies, then each model's best.</summary>
    public static void Show(Terminal terminal, RunSummary run, IReadOnlyList<EpochRecord> epochs, bool comparesWithReference)
    {
        if (comparesWithReference)
            ShowEpochs(terminal, epochs);
        var table = Terminal.Table("model", ">parameters", ">best test loss", ">epoch", ">floor", ">over the floor", ">reference", ">last train loss", ">µs/step");
        foreach (var model in run.Models)
        {
            table.AddRow(
                model.Model,
                model.Parameters.Total.ToString("N0", CultureInfo.InvariantCulture),
                Loss(model.BestTestLoss),
                model.BestEpoch.ToString(CultureInfo.InvariantCulture),
                Loss(model.Floor),
                Loss(model.Excess),
                comparesWithReference && ReferenceCurves.Of(model.Model) is { Count: > 0 } reference ? Loss(reference.Min(record => record.TestLoss)) : "–",
                Loss(model.TrainLoss),
                model.UsPerStep.ToString("0", CultureInfo.InvariantCulture));
        }

        terminal.Show(table);
    }

    private static void ShowEpochs(Terminal terminal, IReadOnlyList<EpochRecord> epochs)
    {
        var models = epochs.GroupBy(epoch => epoch.Model).Where(model => ReferenceCurves.Of(model.Key).Count > 0).ToArray();
        if (models.Length == 0)
            return;
        var table = Terminal.Table(
            ["epoch", .. models.SelectMany(model => new[] { $">{model.Key} test", ">reference", ">difference" })]);
        foreach (var number in epochs.Select(epoch => epoch.Epoch).Distinct().Order())
        {
            table.AddRow(
            [
                number.ToString(CultureInfo.InvariantCulture),
                .. models.SelectMany(model => Cells(model.FirstOrDefault(epoch => epoch.Epoch == number), ReferenceCurves.Of(model.Key, number))),
            ]);
        }

        terminal.Show(table);
    }

    private static string[] Cells(EpochRecord? ours, EpochRecord? reference) =>
    [
        ours is null ? "" : Loss(ours.TestLoss),
        reference is null ? "" : Loss(reference.TestLoss),
        ours is null || reference is null ? "" : Signed(ours.TestLoss - reference.TestLoss),
    ];

    /// <summary>A data set's name in titles.</summary>
    public static string TitleOf(DataSet data) => data.Name == Mnist.Name ? "MNIST" : "Synthetic digits";

    /// <summary>A data set's name in titles, with its size where that is limited.</summary>
    public static string TitleOf(DataSet data, TrainingOptions options) => TitleOf(data)
        + (options.TrainLimit is null ? "" : $", {data.Train.Count:N0} images");

    /// <summary>A network's loss in pictures.</summary>
    public static string LossTitleOf(Network network) => network.Loss.Title + (network.Loss.TargetsPixels ? "" : " of the normalised image");

    /// <summary>The protocol in titles.</summary>
    public static string TitleOf(TrainingOptions options) =>
        (options.OptimiserOf() is SgdOptimiser ? options.Protocol.ToString().ToLowerInvariant() + " protocol" : options.OptimiserOf().Title)
        + (options.WarmUp is { } steps ? $", warm-up {steps}" : "")
        + (options.ClipNorm is { } norm ? $", clip {Text(norm)}" : "")
        + (options.Schedule == Schedule.Cosine ? ", cosine schedule" : "");

    /// <summary>A number as short as it may be.</summary>
    public static string Text(double value) => value.ToString("0.0####", CultureInfo.InvariantCulture);

    /// <summary>A loss.</summary>
    public static string Loss(double value) => double.IsNaN(value) ? "–" : value.ToString("0.00000", CultureInfo.InvariantCulture);

    /// <summary>A difference of losses.</summary>
    public static string Signed(double value) => value.ToString("+0.00000;−0.00000;0.00000", CultureInfo.InvariantCulture);
}
