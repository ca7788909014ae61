using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AutoencoderGpu.App.Training;

namespace AutoencoderGpu.App.Reports;

/// <summary>Everything that a comparison's <c>comparison.json</c> says; names there are these in snake_case.</summary>
/// <param name="Versions">Of the program and what it stands on.</param>
/// <param name="Device">What the runs were computed on.</param>
/// <param name="Options">Options that all runs share, names in snake_case; their learning rate and seed say nothing.</param>
/// <param name="LearningRates">Compared.</param>
/// <param name="Seeds">Compared.</param>
/// <param name="Dataset">What was trained and tested on.</param>
/// <param name="Groups">Of runs that differ in nothing but their seed.</param>
/// <param name="Runs">That have ended.</param>
public sealed record ComparisonSummary(
    VersionsSummary Versions,
    DeviceSummary Device,
    JsonObject Options,
    IReadOnlyList<double> LearningRates,
    IReadOnlyList<ulong> Seeds,
    DatasetSummary Dataset,
    IReadOnlyList<GroupSummary> Groups,
    IReadOnlyList<ComparedRun> Runs)
{
    /// <summary>The first line of <see cref="ToCsv"/>.</summary>
    public const string CsvHeader =
        "model,learning_rate,seed,collapsed,epochs,train_loss,recent_train_loss,test_loss,best_test_loss,best_epoch";

    /// <summary>The summary as one JSON object, ending with a line end.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, SummaryJson.Default.ComparisonSummary) + "\n";

    /// <summary>A line a run; of a collapsed one the losses are left empty.</summary>
    public string ToCsv()
    {
        var text = new StringBuilder(CsvHeader).Append('\n');
        foreach (var run in Runs)
        {
            text.Append(CultureInfo.InvariantCulture, $"{run.Model},{run.LearningRate:R},{run.Seed},{(run.Collapsed is null ? "no" : "yes")},");
            text.Append(run.Result is { } result
                ? string.Create(CultureInfo.InvariantCulture, $"{result.SecondsPerEpoch.Count},{result.TrainLoss:R},{result.RecentTrainLoss:R},{result.TestLoss:R},{result.BestTestLoss:R},{result.BestEpoch}\n")
                : ",,,,,\n");
        }

        return text.ToString();
    }

    private bool CanHave(ComparedRun run) => LearningRates.Contains(run.LearningRate) && Seeds.Contains(run.Seed)
        && (run.Collapsed is null) == (run.Result is not null)
        && run.Model.Length > 0 && !run.Model.Any(c => char.IsControl(c) || "/\\,\"".Contains(c, StringComparison.Ordinal));

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="JsonException">It is something else, or compares what cannot be.</exception>
    public static ComparisonSummary Parse(ReadOnlySpan<byte> json) => StrictJson.Read(json, comparison =>
    {
        var summary = comparison.Deserialize(SummaryJson.Default.ComparisonSummary) ?? throw new JsonException("it is null");
        if (summary.LearningRates.Count == 0 || summary.LearningRates.Any(rate => !((float)rate > 0 && float.IsFinite((float)rate))))
            throw new JsonException("its learning_rates are none");
        if (summary.Seeds.Count == 0)
            throw new JsonException("it has no seeds");
        if (summary.LearningRates.Distinct().Count() < summary.LearningRates.Count || summary.Seeds.Distinct().Count() < summary.Seeds.Count)
            throw new JsonException("its learning_rates or seeds say something twice");
        // Entries of lists are not looked at by their reader.
        if (!summary.Runs.All(run => run is not null && summary.CanHave(run)))
            throw new JsonException("one of its runs is none that it compares");
        if (!summary.Groups.SequenceEqual(GroupSummary.Of(summary.Runs)))
            throw new JsonException("its groups are not those of its runs");
        _ = TrainingOptions.FromJson(summary.Options);
        return summary;
    });
}

/// <summary>One of a comparison's runs.</summary>
/// <param name="Model"><c>fc</c> or <c>conv</c>.</param>
/// <param name="LearningRate">Of the run.</param>
/// <param name="Seed">Of the run.</param>
/// <param name="Collapsed">How it collapsed, null if it did not.</param>
/// <param name="Result">What became of it, null if it collapsed.</param>
public sealed record ComparedRun(string Model, double LearningRate, ulong Seed, string? Collapsed, ModelSummary? Result);

/// <summary>Runs of one model that differ in nothing but their seed.</summary>
/// <param name="Model"><c>fc</c> or <c>conv</c>.</param>
/// <param name="LearningRate">Of the runs.</param>
/// <param name="Runs">How many.</param>
/// <param name="Collapsed">How many of them collapsed; the others are what the following describes.</param>
/// <param name="BestTestLoss">Of each run its lowest test loss.</param>
/// <param name="RecentTrainLoss">Of each run the mean loss of its last 100 steps.</param>
public sealed record GroupSummary(
    string Model, double LearningRate, int Runs, int Collapsed, Statistics BestTestLoss, Statistics RecentTrainLoss)
{
    /// <summary>Sorts runs into groups, in their order.</summary>
    public static IReadOnlyList<GroupSummary> Of(IEnumerable<ComparedRun> runs) =>
    [
        .. runs.GroupBy(run => (run.Model, run.LearningRate)).Select(group => new GroupSummary(
            group.Key.Model,
            group.Key.LearningRate,
            group.Count(),
            group.Count(run => run.Collapsed is not null),
            Statistics.Of([.. group.Where(run => run.Result is not null).Select(run => run.Result!.BestTestLoss)]),
            Statistics.Of([.. group.Where(run => run.Result is not null).Select(run => run.Result!.RecentTrainLoss)]))),
    ];
}

/// <summary>How values are spread; all NaN where there are none.</summary>
/// <param name="Mean">Their mean.</param>
/// <param name="StandardDeviation">With n − 1; NaN for a single value.</param>
/// <param name="Lowest">The least.</param>
/// <param name="Highest">The greatest.</param>
public sealed record Statistics(double Mean, double StandardDeviation, double Lowest, double Highest)
{
    /// <summary>Of values.</summary>
    public static Statistics Of(IReadOnlyCollection<double> values)
    {
        if (values.Count == 0)
            return new(double.NaN, double.NaN, double.NaN, double.NaN);
        var mean = values.Average();
        var deviation = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1));
        return new(mean, deviation, values.Min(), values.Max());
    }
}
