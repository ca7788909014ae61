using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using AutoencoderGpu.App.Images;
using AutoencoderGpu.App.Reports;
using AutoencoderGpu.Models;
using AutoencoderGpu.Tests.App.Reports;
using AutoencoderGpu.Tests.Kernels;
using Xunit;

namespace AutoencoderGpu.Tests.App;

/// <summary>Training from arguments to files.</summary>
public sealed class TrainCommandTests : IDisposable
{
    private static readonly string[] _quick = ["--dataset", "synthetic", "--accelerator", "cpu", "--threads", "2", "--test-limit", "100"];

    public static IEnumerable<TheoryDataRow<string>> Gpus =>
        ((string[])["CUDA", "OpenCL"]).Select(name => Rows.OnItsExecutor(new TheoryDataRow<string>(name), name));

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_run_of_both_models_writes_the_whole_run_folder_and_one_json_object()
    {
        var result = await TrainAsync("run", "--train-limit", "500", "--epochs", "2", "--json");
        Assert.Equal(0, result.ExitCode);
        string[] expected =
        [
            "conv/best.safetensors", "conv/checkpoint.previous.safetensors", "conv/checkpoint.safetensors", "conv/last.safetensors",
            "fc/best.safetensors", "fc/checkpoint.previous.safetensors", "fc/checkpoint.safetensors", "fc/last.safetensors", "lock",
            "logs/conv/events.out.tfevents", "logs/fc/events.out.tfevents",
            "loss-curves.png", "metrics.csv", "reconstructions-conv.png", "reconstructions-fc.png", "summary.json",
        ];
        // The log's name ends with the time.
        Assert.Equal(expected, Files("run").Select(file => file.StartsWith("logs/", StringComparison.Ordinal) ? file[..file.LastIndexOf("tfevents", StringComparison.Ordinal)] + "tfevents" : file));
        var summary = JsonNode.Parse(result.Output)!;
        Assert.Equal(JsonNode.Parse(File.ReadAllText(In("run", "summary.json")))!.ToJsonString(), summary.ToJsonString());
        Assert.Equal("synthetic", (string)summary["dataset"]!["name"]!);
        Assert.Equal("cpu", (string)summary["device"]!["accelerator"]!);
        var rows = File.ReadAllLines(In("run", "metrics.csv"));
        Assert.Equal(Metrics.Header, rows[0]);
        Assert.Equal(["fc,1", "fc,2", "conv,1", "conv,2"], rows[1..].Select(row => string.Join(',', row.Split(',')[..2])));
        foreach (var (model, total, encoder) in new[] { ("fc", 468_368, 233_856), ("conv", 74_497, 18_816) })
        {
            var part = summary["models"]!.AsArray().Single(entry => (string)entry!["model"]! == model)!;
            Assert.Equal((total, encoder, total - encoder), (
                (int)part["parameters"]!["total"]!, (int)part["parameters"]!["encoder"]!, (int)part["parameters"]!["decoder"]!));
            Assert.Equal(100, (int)part["steps"]!);
            Assert.InRange((double)part["best_test_loss"]!, (double)part["floor"]!, 1.1);
            Assert.Equal((double)part["best_test_loss"]! - (double)part["floor"]!, (double)part["excess"]!, 12);
            // 50 steps an epoch: the last 100 are both epochs.
            var trainLosses = rows[1..].Select(row => row.Split(',')).Where(row => row[0] == model).Select(row => double.Parse(row[2], CultureInfo.InvariantCulture));
            Assert.Equal(trainLosses.Average(), (double)part["recent_train_loss"]!, 9);
            Assert.Equal(model == "conv" ? 0.25 : 0, (double)part["protocol"]!["clip_norm"]!);
            Assert.Equal(6, EventFile.Scalars(EventLog.FilesIn(In("run", "logs", model)).Single()).Count);
            Assert.True(Picture.ReadGrey(In("run", $"reconstructions-{model}.png")).Pixels.Distinct().Count() > 50);
        }
    }

    [Fact]
    public async Task Images_that_the_device_memory_does_not_hold_are_streamed_to_the_same_bits()
    {
        // 1.5 MB of training images, and parameters and maps of 2.2 MB.
        string[] options = ["--model", "fc", "--train-limit", "2000", "--epochs", "2"];
        var streamed = await TrainAsync("streamed", [.. options, "--device-memory", "3M"]);
        Assert.Equal(0, streamed.ExitCode);
        Assert.Contains("are streamed", streamed.Errors, StringComparison.Ordinal);
        var resident = await TrainAsync("resident", options);
        Assert.DoesNotContain("are streamed", resident.Errors, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(In("resident", "fc", "last.safetensors")), File.ReadAllBytes(In("streamed", "fc", "last.safetensors")));
    }

    [Fact]
    public async Task Device_memory_that_does_not_suffice_is_one_line_with_what_would_fit_and_leaves_no_folder()
    {
        string[] options = ["--model", "fc", "--epochs", "1", "--quiet", "--device-memory"];
        var hopeless = await TrainAsync("run", [.. options, "0.5m"]);
        var tooLarge = await TrainAsync("run", [.. options, "10M", "--batch-size", "1000"]);
        Assert.Equal((3, 3), (hopeless.ExitCode, tooLarge.ExitCode));
        Assert.Contains("not even --batch-size 1 would fit", Assert.Single(hopeless.ErrorLines), StringComparison.Ordinal);
        var fitting = Regex.Match(Assert.Single(tooLarge.ErrorLines), "--batch-size ([0-9]+) would fit, --device-memory").Groups[1].Value;
        Assert.False(Directory.Exists(In("run")));
        Assert.Equal(0, (await TrainAsync("run", [.. options, "10M", "--batch-size", fitting])).ExitCode);
    }

    [Fact]
    public async Task The_same_seed_and_threads_give_the_same_bits_and_another_seed_others()
    {
        string[] options = ["--model", "conv", "--train-limit", "200", "--epochs", "1", "--quiet"];
        foreach (var (run, seed) in new[] { ("a", "7"), ("b", "7"), ("c", "8") })
            Assert.Equal(0, (await TrainAsync(run, [.. options, "--seed", seed])).ExitCode);
        var weights = new[] { "a", "b", "c" }.Select(run => File.ReadAllBytes(In(run, "conv", "last.safetensors"))).ToArray();
        Assert.Equal(weights[0], weights[1]);
        Assert.NotEqual(weights[0], weights[2]);
    }

    [Fact]
    public async Task A_resumed_run_ends_with_the_bits_of_one_that_was_not_stopped()
    {
        string[] options = ["--model", "fc", "--train-limit", "300", "--batch-size", "7"];
        Assert.Equal(0, (await TrainAsync("whole", [.. options, "--epochs", "3"])).ExitCode);
        Assert.Equal(0, (await TrainAsync("parts", [.. options, "--epochs", "1"])).ExitCode);
        var resumed = await AutoencoderProcess.RunAsync("train", "--resume", "--output", In("parts"), "--epochs", "3");
        Assert.Equal(0, resumed.ExitCode);
        AssertSameRun("whole", "parts", "fc");
        var logs = new[] { "whole", "parts" }.Select(run => EventFile.Scalars(EventLog.FilesIn(In(run, "logs", "fc")).Single())).ToArray();
        Assert.Equal(logs[0], logs[1]);
    }

    [Theory]
    [InlineData(AutoencoderProcess.Interrupt, 130)]
    [InlineData(AutoencoderProcess.Terminate, 143)]
    [InlineData(AutoencoderProcess.HangUp, 129)]
    public async Task A_signal_saves_within_an_epoch_and_resume_goes_on_to_the_same_bits(int signal, int code)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows knows no SIGINT to another process.");
        string[] options = [.. _quick, "--model", "conv", "--train-limit", "600", "--epochs", "2"];
        Assert.Equal(0, (await AutoencoderProcess.RunAsync(["train", .. options, "--output", In("whole")])).ExitCode);
        var stopped = await AutoencoderProcess.RunAsync("epoch  1", ["train", .. options, "--output", In("parts")], signal);
        Assert.Equal(code, stopped.ExitCode);
        Assert.Contains("--resume", stopped.ErrorLines[^1], StringComparison.Ordinal);
        var checkpoint = Safetensors.Load(In("parts", "conv", "checkpoint.safetensors"));
        Assert.InRange(int.Parse(checkpoint.Metadata["step"]), 0, 60);
        Assert.Equal(0, (await AutoencoderProcess.RunAsync("--resume", "--output", In("parts"))).ExitCode);
        AssertSameRun("whole", "parts", "conv");
    }

    [Fact]
    public async Task A_run_is_never_overwritten_unasked()
    {
        string[] options = ["--model", "fc", "--train-limit", "20", "--epochs", "1"];
        Assert.Equal(0, (await TrainAsync("run", options)).ExitCode);
        var before = File.ReadAllBytes(In("run", "fc", "last.safetensors"));
        var refused = await TrainAsync("run", [.. options, "--seed", "2"]);
        AssertError(2, "--force", refused);
        Assert.Equal(before, File.ReadAllBytes(In("run", "fc", "last.safetensors")));
        Assert.Equal(0, (await TrainAsync("run", [.. options, "--seed", "2", "--force"])).ExitCode);
        Assert.NotEqual(before, File.ReadAllBytes(In("run", "fc", "last.safetensors")));
        AssertError(2, "other options", await AutoencoderProcess.RunAsync("--resume", "--output", In("run"), "--seed", "3"));
    }

    [Fact]
    public async Task A_cosine_schedule_ends_near_nothing_and_cannot_be_prolonged()
    {
        string[] options = ["--model", "conv", "--train-limit", "50", "--epochs", "2", "--schedule", "cosine", "--warm-up", "0", "--clip-norm", "0.25"];
        Assert.Equal(0, (await TrainAsync("run", options)).ExitCode);
        var rates = File.ReadAllLines(In("run", "metrics.csv"))[1..].Select(row => double.Parse(row.Split(',')[4], CultureInfo.InvariantCulture));
        // The last of 5 and of 10 steps: 4 and 9 are behind them.
        Assert.Equal([(float)((1 + Math.Cos(0.4 * Math.PI)) / 2), (float)((1 + Math.Cos(0.9 * Math.PI)) / 2)], rates.Select(rate => (float)rate));
        var protocol = JsonNode.Parse(File.ReadAllText(In("run", "summary.json")))!["models"]![0]!["protocol"]!;
        Assert.Equal("""{"warm_up_steps":0,"clip_norm":0.25,"schedule":"cosine"}""", protocol.ToJsonString());
        AssertError(2, "--schedule", await AutoencoderProcess.RunAsync("--resume", "--output", In("run"), "--epochs", "3"));
    }

    [Fact]
    public async Task A_collapse_is_named_and_ends_with_code_5()
    {
        var result = await TrainAsync(
            "run", "--model", "conv", "--protocol", "reference", "--learning-rate", "4", "--train-limit", "2000", "--epochs", "1");
        AssertError(5, "--protocol stable", result);
        Assert.Contains("collapsed", result.ErrorLines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Training_on_mnist_follows_the_reference()
    {
        var data = Environment.GetEnvironmentVariable("AUTOENCODER_DATA");
        Assert.SkipWhen(string.IsNullOrEmpty(data), "AUTOENCODER_DATA names no folder with MNIST.");
        var result = await AutoencoderProcess.RunAsync(
            "--data", data!, "--accelerator", "cpu", "--model", "fc", "--epochs", "1", "--json", "--output", In("run"));
        Assert.Equal(0, result.ExitCode);
        var model = JsonNode.Parse(result.Output)!["models"]![0]!;
        // The reference after its first epoch; seeds spread by about 0.005 so early.
        Assert.Equal(0.598312, (double)model["train_loss"]!, 0.015);
        Assert.Equal(0.548468, (double)model["test_loss"]!, 0.015);
        Assert.Equal(0.469391, (double)model["floor"]!, 6);
    }

    [Theory]
    [MemberData(nameof(Gpus))]
    public async Task Another_accelerator_trains_to_the_losses_of_the_cpu(string executor)
    {
        ExecutorsUnderTest.Open(executor); // skips where there is none
        var losses = new List<double[]>();
        foreach (var accelerator in new[] { executor.ToLowerInvariant(), "cpu" })
        {
            var result = await AutoencoderProcess.RunAsync(
                "--dataset", "synthetic", "--accelerator", accelerator, "--train-limit", "100", "--test-limit", "50", "--epochs", "1", "--json", "--output", In(accelerator));
            Assert.Equal(0, result.ExitCode);
            losses.Add([.. JsonNode.Parse(result.Output)!["models"]!.AsArray().SelectMany(model => new[] { (double)model!["train_loss"]!, (double)model["test_loss"]! })]);
        }

        Assert.Equal(4, losses[0].Length);
        // Ten steps at a rate of 1 enlarge rounding differences of 1e-7 by far less than this.
        for (var i = 0; i < losses[0].Length; i++)
            Assert.Equal(losses[1][i], losses[0][i], 1e-4);
    }

    [Fact]
    public async Task A_run_that_cannot_start_leaves_the_old_one_alone()
    {
        string[] options = ["--model", "fc", "--train-limit", "20", "--epochs", "1"];
        Assert.Equal(0, (await TrainAsync("run", options)).ExitCode);
        var before = Files("run");
        var failed = await AutoencoderProcess.RunAsync("--force", "--data", In("nowhere"), "--output", In("run"));
        AssertError(4, In("nowhere"), failed);
        Assert.Equal(before, Files("run"));
    }

    [Fact]
    public async Task Resuming_one_model_keeps_the_other_ones_results_and_other_data_is_refused()
    {
        Assert.Equal(0, (await TrainAsync("run", "--train-limit", "40", "--epochs", "1")).ExitCode);
        var resumed = await AutoencoderProcess.RunAsync("--resume", "--output", In("run"), "--model", "conv", "--epochs", "2", "--json");
        Assert.Equal(0, resumed.ExitCode);
        Assert.Equal(["fc,1", "conv,1", "conv,2"], LossesOf("run")[1..].Select(row => string.Join(',', row.Split(',')[..2])));
        Assert.Equal(["fc", "conv"], JsonNode.Parse(resumed.Output)!["models"]!.AsArray().Select(model => (string)model!["model"]!));

        var summary = JsonNode.Parse(File.ReadAllText(In("run", "summary.json")))!;
        summary["dataset"]!["name"] = "mnist";
        File.WriteAllText(In("run", "summary.json"), summary.ToJsonString());
        AssertError(4, "other data", await AutoencoderProcess.RunAsync("--resume", "--output", In("run")));
    }

    [Fact]
    public async Task Losses_that_are_not_finite_end_with_code_5()
    {
        var result = await TrainAsync("run", "--model", "fc", "--learning-rate", "1e38", "--train-limit", "100", "--epochs", "1");
        AssertError(5, "--learning-rate", result);
        Assert.DoesNotContain("fc/best.safetensors", Files("run"));
    }

    [Fact]
    public async Task A_model_that_no_longer_changes_ends_with_code_5() => AssertError(
        5,
        "--learning-rate",
        await TrainAsync("run", "--model", "fc", "--learning-rate", "1e9", "--train-limit", "500", "--epochs", "3"));

    [Fact]
    public async Task Damage_to_a_checkpoint_is_named_with_a_remedy()
    {
        string[] resume = ["--resume", "--output", In("run"), "--epochs", "2"];
        Assert.Equal(0, (await TrainAsync("run", "--model", "fc", "--train-limit", "20", "--epochs", "1")).ExitCode);
        var checkpoint = In("run", "fc", "checkpoint.safetensors");
        File.WriteAllBytes(checkpoint, File.ReadAllBytes(checkpoint)[..5000]);
        AssertError(4, "--force", await AutoencoderProcess.RunAsync(resume));
        File.Delete(checkpoint);
        AssertError(4, "missing", await AutoencoderProcess.RunAsync(resume));
    }

    [Fact]
    public async Task A_mini_batch_may_be_larger_than_the_data()
    {
        var result = await TrainAsync("run", "--model", "conv", "--batch-size", "1000000000", "--train-limit", "20", "--epochs", "1", "--json");
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(1, (int)JsonNode.Parse(result.Output)!["models"]![0]!["steps"]!);
    }

    internal static void AssertError(int code, string expected, ProcessResult result)
    {
        Assert.Equal(code, result.ExitCode);
        Assert.Empty(result.Output);
        var line = Assert.Single(result.ErrorLines, line => line.StartsWith("error: ", StringComparison.Ordinal));
        Assert.Contains(expected, line, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Errors, StringComparison.Ordinal);
    }

    private Task<ProcessResult> TrainAsync(string run, params string[] options) =>
        AutoencoderProcess.RunAsync(["train", .. _quick, "--output", In(run), .. options]);

    private void AssertSameRun(string expected, string actual, string model)
    {
        foreach (var file in new[] { "best.safetensors", "last.safetensors" })
            Assert.Equal(File.ReadAllBytes(In(expected, model, file)), File.ReadAllBytes(In(actual, model, file)));
        Assert.Equal(LossesOf(expected), LossesOf(actual));
    }

    /// <summary>Everything of metrics.csv but the seconds.</summary>
    private string[] LossesOf(string run) =>
        [.. File.ReadAllLines(In(run, "metrics.csv")).Select(row => row[..row.LastIndexOf(',')])];

    private string[] Files(string run) =>
    [
        .. Directory.EnumerateFiles(In(run), "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(In(run), file).Replace('\\', '/')).Order(StringComparer.Ordinal),
    ];

    private string In(params string[] parts) => Path.Combine([_folder.Path, .. parts]);
}
