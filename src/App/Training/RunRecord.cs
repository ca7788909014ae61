using System.Text.Json;
using AutoencoderGpu.App.Data;
using AutoencoderGpu.App.Reports;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Training;

/// <summary>What <c>--resume</c> reads of a run's <c>summary.json</c>.</summary>
/// <param name="Options">The run was begun with.</param>
/// <param name="Dataset">The run was begun on.</param>
internal sealed record RunRecord(TrainingOptions Options, DatasetSummary Dataset)
{
    /// <summary>Bytes of a summary of many models and epochs, and far more.</summary>
    public const long LongestFile = 16 << 20;

    /// <summary>The record of the run that is there.</summary>
    /// <exception cref="UserError">There is none, or it is damaged (<see cref="ExitCode.Data"/>).</exception>
    public static RunRecord Read(RunFolder folder)
    {
        try
        {
            return Parse(InputFile.ReadAllBytes(folder.Summary, LongestFile));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserError(
                ExitCode.Data, $"{folder.Path} holds no run to resume: {folder.Summary} cannot be read; leave out --resume to begin one", e);
        }
        catch (Exception e) when (e is JsonException or InvalidDataException)
        {
            throw new UserError(ExitCode.Data, $"{folder.Summary} is damaged: {e.Message.ReplaceLineEndings(" ")}; begin again with --force", e);
        }
    }

    /// <summary>Reads a summary.</summary>
    /// <exception cref="JsonException">It is no summary, or says what no run can have.</exception>
    public static RunRecord Parse(ReadOnlySpan<byte> json) => StrictJson.Read(json, content =>
    {
        var summary = content.Deserialize(SummaryJson.Default.RunSummary) ?? throw new JsonException("it is null");
        if (summary.Models.Contains(null!))
            throw new JsonException("one of its models is null");
        return new RunRecord(TrainingOptions.FromJson(summary.Options), summary.Dataset);
    });

    /// <summary>Looks whether the data at hand are what the run was begun on.</summary>
    /// <exception cref="UserError">They are others (<see cref="ExitCode.Data"/>).</exception>
    public void Require(DatasetSummary dataset, string folder)
    {
        if ((dataset.Name, dataset.TrainCount, dataset.TestCount) != (Dataset.Name, Dataset.TrainCount, Dataset.TestCount))
        {
            throw new UserError(
                ExitCode.Data,
                $"{folder} was begun on other data ({Dataset.Name}, {Dataset.TrainCount} and {Dataset.TestCount} images); name it with --data, or begin anew with --force");
        }
    }

    /// <summary>What must be the same in all sittings of a run, as one text: a checkpoint that says otherwise is another run's.</summary>
    public static string IdentityOf(TrainingOptions options, DataSet data)
    {
        var identity = options.ToJson();
        foreach (var name in TrainingOptions.MayChange)
            identity.Remove(name);
        // Its rates depend on how many there are.
        if (options.Schedule != Schedule.Constant)
            identity["epochs"] = options.Epochs;
        identity["dataset"] = data.Name;
        identity["train_count"] = data.Train.Count;
        identity["test_count"] = data.Test.Count;
        return identity.ToJsonString();
    }
}
