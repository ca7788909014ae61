using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using AutoencoderGpu.App.Images;
using AutoencoderGpu.App.Reports;
using Xunit;

namespace AutoencoderGpu.Tests.App;

/// <summary>Comparing runs, from arguments to files.</summary>
public sealed class CompareCommandTests : IDisposable
{
    private static readonly string[] _quick =
        ["compare", "--dataset", "synthetic", "--accelerator", "cpu", "--threads", "2", "--test-limit", "100", "--json"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Rates_and_seeds_make_a_run_each_that_is_the_same_as_trained_alone()
    {
        var result = await CompareAsync("all", "--learning-rates", "0.1,1", "--seeds", "3-4", "--epochs", "2", "--train-limit", "200");
        Assert.Equal(0, result.ExitCode);
        var json = JsonNode.Parse(result.Output)!;
        Assert.Equal(
            ["fc 0.1 3", "fc 0.1 4", "fc 1 3", "fc 1 4", "conv 0.1 3", "conv 0.1 4", "conv 1 3", "conv 1 4"],
            json["runs"]!.AsArray().Select(run => $"{run!["model"]} {run["learning_rate"]} {run["seed"]}"));
        var group = json["groups"]![1]!;
        Assert.Equal(("fc", 1.0, 2, 0), ((string)group["model"]!, (double)group["learning_rate"]!, (int)group["runs"]!, (int)group["collapsed"]!));
        var losses = json["runs"]!.AsArray().Skip(2).Take(2).Select(run => (double)run!["result"]!["best_test_loss"]!).ToArray();
        Assert.Equal((losses[0] + losses[1]) / 2, (double)group["best_test_loss"]!["mean"]!, 12);
        Assert.Equal(Math.Abs(losses[0] - losses[1]) / Math.Sqrt(2), (double)group["best_test_loss"]!["standard_deviation"]!, 12);
        Assert.Equal((losses.Min(), losses.Max()), ((double)group["best_test_loss"]!["lowest"]!, (double)group["best_test_loss"]!["highest"]!));
        Assert.Equal(result.Output, File.ReadAllText(In("all", "comparison.json")));
        var csv = File.ReadAllLines(In("all", "comparison.csv"));
        Assert.Equal(ComparisonSummary.CsvHeader, csv[0]);
        Assert.Equal(9, csv.Length);
        Assert.Equal(2000, Picture.ReadGrey(In("all", "comparison.png")).Width);

        var alone = await AutoencoderProcess.RunAsync(
            ["train", .. _quick[1..], "--model", "fc", "--seed", "4", "--learning-rate", "0.1", "--epochs", "2", "--train-limit", "200", "--output", In("alone")]);
        Assert.Equal(0, alone.ExitCode);
        Assert.Equal(
            File.ReadAllBytes(In("alone", "fc", "last.safetensors")), File.ReadAllBytes(In("all", "fc-rate0.1-seed4", "fc", "last.safetensors")));
    }

    [Fact]
    public async Task A_collapse_is_a_result_and_more_seeds_and_models_can_follow()
    {
        string[] options = ["--model", "conv", "--protocol", "reference", "--learning-rates", "4", "--epochs", "1", "--train-limit", "1000"];
        var first = await CompareAsync("run", [.. options, "--seeds", "1"]);
        Assert.Equal(0, first.ExitCode);
        Assert.Equal(1, (int)JsonNode.Parse(first.Output)!["groups"]![0]!["collapsed"]!);
        Assert.Contains("collapsed", (string)JsonNode.Parse(first.Output)!["runs"]![0]!["collapsed"]!, StringComparison.Ordinal);
        Assert.False(File.Exists(In("run", "comparison.png")));

        var more = await AutoencoderProcess.RunAsync("compare", "--resume", "--output", In("run"), "--seeds", "2", "--json");
        Assert.Equal(0, more.ExitCode);
        Assert.Equal(2, JsonNode.Parse(more.Output)!["runs"]!.AsArray().Count);
        more = await AutoencoderProcess.RunAsync("compare", "--resume", "--output", In("run"), "--model", "784-8-784", "--json");
        Assert.Equal(0, more.ExitCode);
        Assert.Equal(["conv", "conv", "784-8-784", "784-8-784"], JsonNode.Parse(more.Output)!["runs"]!.AsArray().Select(run => (string)run!["model"]!));
        TrainCommandTests.AssertError(2, "other options", await AutoencoderProcess.RunAsync("compare", "--resume", "--output", In("run"), "--batch-size", "5"));
        TrainCommandTests.AssertError(2, "--force", await CompareAsync("run", options));
    }

    [Fact]
    public async Task Ctrl_C_saves_and_resume_goes_on_to_the_same_results()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows knows no SIGINT to another process.");
        string[] options = ["--model", "fc", "--seeds", "1-3", "--epochs", "2", "--train-limit", "2000"];
        Assert.Equal(0, (await CompareAsync("whole", options)).ExitCode);
        var stopped = await AutoencoderProcess.RunAsync("run 2 of 3", [.. _quick, .. options, "--output", In("parts")]);
        Assert.Equal(130, stopped.ExitCode);
        Assert.Contains("compare --resume", stopped.ErrorLines[^1], StringComparison.Ordinal);
        // What a kill inside a write leaves behind.
        File.WriteAllText(In("parts", ".autoencoder-0123456789ab.tmp"), "half");
        Assert.Equal(0, (await AutoencoderProcess.RunAsync("compare", "--resume", "--output", In("parts"))).ExitCode);
        Assert.False(File.Exists(In("parts", ".autoencoder-0123456789ab.tmp")));
        Assert.Equal(File.ReadAllText(In("whole", "comparison.csv")), File.ReadAllText(In("parts", "comparison.csv")));
    }

    [Fact]
    public async Task Files_of_others_links_and_pipes_are_left_alone()
    {
        Directory.CreateDirectory(In("tables"));
        File.WriteAllText(In("tables", "comparison.csv"), "mine");
        string[] options = ["--model", "784-8-784", "--epochs", "1", "--train-limit", "100"];
        TrainCommandTests.AssertError(2, "holds a comparison already", await CompareAsync("tables", options));
        TrainCommandTests.AssertError(2, "comparison.csv", await CompareAsync("tables", [.. options, "--force"]));
        Assert.Equal("mine", File.ReadAllText(In("tables", "comparison.csv")));

        Assert.Equal(0, (await CompareAsync("all", options)).ExitCode);
        File.Move(In("tables", "comparison.csv"), In("thesis.csv"));
        File.Delete(In("all", "comparison.csv"));
        File.CreateSymbolicLink(In("all", "comparison.csv"), In("thesis.csv"));
        Assert.Equal(0, (await CompareAsync("all", [.. options, "--force"])).ExitCode);
        Assert.Equal("mine", File.ReadAllText(In("thesis.csv")));

        File.Delete(In("all", "comparison.csv"));
        TemporaryFolder.MakePipe(In("all", "comparison.csv"));
        TrainCommandTests.AssertError(4, "comparison.csv is a pipe", await AutoencoderProcess.RunAsync("compare", "--resume", "--output", In("all")));
    }

    [Fact]
    public async Task Memory_that_does_not_suffice_is_a_line_with_what_would_fit()
    {
        string[] options = ["--model", "784-8-784", "--epochs", "1", "--train-limit", "2000", "--device-memory", "4M", "--batch-size"];
        var tooLarge = await CompareAsync("run", [.. options, "2000"]);
        TrainCommandTests.AssertError(3, "would fit", tooLarge);
        Assert.False(Directory.Exists(In("run")));
        Assert.Equal(0, (await CompareAsync("run", [.. options, Regex.Match(tooLarge.Errors, "--batch-size ([0-9]+)").Groups[1].Value])).ExitCode);
    }

    [Theory]
    [InlineData("--seeds", "5-1")]
    [InlineData("--seeds", "1-1000000000")]
    [InlineData("--seeds", "1,,2")]
    [InlineData("--seeds", "a")]
    [InlineData("--learning-rates", "0.1,0")]
    [InlineData("--learning-rates", "0.1;1")]
    public async Task A_wrong_list_is_one_line_that_names_it(string option, string value) =>
        TrainCommandTests.AssertError(2, option, await CompareAsync("run", option, value));

    [Fact]
    public async Task Nothing_to_resume_is_an_error() => TrainCommandTests.AssertError(
        4, "no comparison", await AutoencoderProcess.RunAsync("compare", "--resume", "--output", In("none")));

    private Task<ProcessResult> CompareAsync(string run, params string[] options) =>
        AutoencoderProcess.RunAsync([.. _quick, "--output", In(run), .. options]);

    private string In(params string[] parts) => Path.Combine([_folder.Path, .. parts]);
}
