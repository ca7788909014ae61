using System.Text;
using System.Text.Json.Nodes;
using AutoencoderGpu.App.Reports;
using AutoencoderGpu.App.Training;
using AutoencoderGpu.Models;
using AutoencoderGpu.Tests.App.Reports;
using Xunit;

namespace AutoencoderGpu.Tests.App;

/// <summary>What keeps runs apart and whole: locks, checkpoints, and what is refused of either.</summary>
public sealed class RunFolderTests : IDisposable
{
    private static readonly string[] _quick =
        ["train", "--model", "fc", "--dataset", "synthetic", "--accelerator", "cpu", "--threads", "2", "--train-limit", "300", "--test-limit", "40", "--quiet"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_folder_in_use_is_refused_with_the_process_that_has_it()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows knows no SIGINT to another process.");
        var run = In("run");
        ProcessResult[] others = [];
        var first = AutoencoderProcess.StopAsync(
            [.. _quick, "--epochs", "100000", "--output", run], AutoencoderProcess.Interrupt, () => others.Length > 0);
        while (!File.Exists(Path.Combine(run, "fc", "best.safetensors")))
            await Task.Delay(20, TestContext.Current.CancellationToken);
        var holder = File.ReadAllText(Path.Combine(run, "lock")).Split(' ')[0];
        others =
        [
            .. await Task.WhenAll(
                AutoencoderProcess.RunAsync("train", "--resume", "--output", run),
                AutoencoderProcess.RunAsync([.. _quick, "--force", "--output", run]),
                AutoencoderProcess.RunAsync([.. _quick, "--seed", "2", "--output", run])),
        ];
        Assert.All(others, other => TrainCommandTests.AssertError(2, $"process {holder} on ", other));
        Assert.Equal(130, (await first).Result.ExitCode);
        // The lock ends with its process.
        Assert.Equal(0, (await AutoencoderProcess.RunAsync("train", "--resume", "--output", run, "--epochs", $"{EpochsOf(run) + 1}")).ExitCode);
    }

    [Fact]
    public async Task Runs_that_start_in_the_same_second_have_folders_of_their_own()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ =>
            AutoencoderProcess.RunAsync(info => info.WorkingDirectory = _folder.Path, [.. _quick, "--epochs", "1"])));
        Assert.All(results, result => Assert.Equal(0, result.ExitCode));
        Assert.Equal(3, Directory.GetDirectories(In("runs")).Length);
    }

    [Fact]
    public async Task Force_leaves_a_folder_with_other_files_alone()
    {
        Directory.CreateDirectory(In("home", "fc"));
        File.WriteAllText(In("home", "fc", "thesis.txt"), "years of work");
        File.WriteAllText(In("home", "summary.json"), "of something else");
        TrainCommandTests.AssertError(2, "thesis.txt", await AutoencoderProcess.RunAsync([.. _quick, "--epochs", "1", "--force", "--output", In("home")]));
        Assert.Equal(["fc/thesis.txt", "summary.json"], Files("home"));
    }

    [Fact]
    public async Task Names_alone_make_no_run_and_links_are_not_followed()
    {
        Directory.CreateDirectory(In("pictures"));
        File.WriteAllText(In("pictures", "reconstructions-holiday.png"), "mine");
        TrainCommandTests.AssertError(2, "holds a run already", await AutoencoderProcess.RunAsync([.. _quick, "--epochs", "1", "--output", In("pictures")]));
        TrainCommandTests.AssertError(2, "holiday.png", await AutoencoderProcess.RunAsync([.. _quick, "--epochs", "1", "--force", "--output", In("pictures")]));

        await TrainAsync("run", "--epochs", "1");
        File.WriteAllText(In("thesis.txt"), "years of work");
        File.Delete(In("run", "metrics.csv"));
        File.CreateSymbolicLink(In("run", "metrics.csv"), In("thesis.txt"));
        await TrainAsync("run", "--epochs", "1", "--force");
        Assert.Equal("years of work", File.ReadAllText(In("thesis.txt")));

        Directory.CreateDirectory(In("elsewhere"));
        Directory.CreateSymbolicLink(In("run", "linked"), In("elsewhere"));
        TrainCommandTests.AssertError(2, "linked", await AutoencoderProcess.RunAsync([.. _quick, "--epochs", "1", "--force", "--output", In("run")]));
        Assert.True(File.Exists(In("run", "fc", "best.safetensors")));
    }

    [Fact]
    public async Task Pipes_in_a_run_s_folder_are_named()
    {
        Directory.CreateDirectory(In("new"));
        TemporaryFolder.MakePipe(In("new", "lock"));
        TrainCommandTests.AssertError(2, "lock is no lock", await AutoencoderProcess.RunAsync([.. _quick, "--epochs", "1", "--output", In("new")]));

        await TrainAsync("run", "--epochs", "1");
        File.Delete(In("run", "fc", "last.safetensors"));
        TemporaryFolder.MakePipe(In("run", "fc", "last.safetensors"));
        TrainCommandTests.AssertError(4, "last.safetensors is a pipe", await AutoencoderProcess.RunAsync("train", "--resume", "--epochs", "2", "--output", In("run")));
    }

    [Fact]
    public async Task A_damaged_checkpoint_gives_way_to_the_one_before()
    {
        await TrainAsync("whole", "--epochs", "3");
        await TrainAsync("run", "--epochs", "2");
        Damage(In("run", "fc", "checkpoint.safetensors"));
        var resumed = await AutoencoderProcess.RunAsync("train", "--resume", "--epochs", "3", "--output", In("run"));
        Assert.Equal(0, resumed.ExitCode);
        Assert.Contains(resumed.ErrorLines, line => line.StartsWith("warning: ", StringComparison.Ordinal) && line.Contains("checkpoint before", StringComparison.Ordinal));
        Assert.Equal(File.ReadAllBytes(In("whole", "fc", "last.safetensors")), File.ReadAllBytes(In("run", "fc", "last.safetensors")));

        Damage(In("run", "fc", "checkpoint.safetensors"));
        Damage(In("run", "fc", "checkpoint.previous.safetensors"));
        TrainCommandTests.AssertError(4, "checksum", await AutoencoderProcess.RunAsync("train", "--resume", "--epochs", "4", "--output", In("run")));
    }

    [Fact]
    public async Task Checkpoints_of_another_run_are_refused()
    {
        await TrainAsync("run", "--epochs", "1");
        await TrainAsync("other", "--epochs", "1", "--seed", "2");
        File.Copy(In("other", "fc", "checkpoint.safetensors"), In("run", "fc", "checkpoint.safetensors"), overwrite: true);
        TrainCommandTests.AssertError(4, "other options", await AutoencoderProcess.RunAsync("train", "--resume", "--epochs", "2", "--output", In("run")));
        TrainCommandTests.AssertError(2, "--epochs", await AutoencoderProcess.RunAsync("train", "--resume", "--epochs", "0", "--output", In("run")));
    }

    [Fact]
    public async Task Fewer_epochs_than_are_done_are_wrong_usage()
    {
        await TrainAsync("run", "--epochs", "2");
        TrainCommandTests.AssertError(2, "--epochs", await AutoencoderProcess.RunAsync("train", "--resume", "--epochs", "1", "--output", In("run")));
    }

    [Fact]
    public async Task What_a_killed_run_had_not_yet_written_is_made_good()
    {
        await TrainAsync("run", "--epochs", "2", "--checkpoint-every", "0");
        var expected = Files("run");
        var times = EventFile.WallTimes(EventLog.FilesIn(In("run", "logs", "fc")).Single());
        var last = File.ReadAllBytes(In("run", "fc", "last.safetensors"));
        // Killed after the checkpoint, while the next file was written.
        foreach (var file in Directory.GetFiles(In("run", "fc")).Where(file => !file.EndsWith("checkpoint.safetensors", StringComparison.Ordinal)))
            File.Delete(file);
        Directory.Delete(In("run", "logs"), recursive: true);
        File.WriteAllText(In("run", "fc", ".autoencoder-0123456789ab.tmp"), "half");
        Assert.Equal(0, (await AutoencoderProcess.RunAsync("train", "--resume", "--output", In("run"))).ExitCode);
        Assert.Equal(last, File.ReadAllBytes(In("run", "fc", "last.safetensors")));
        Assert.Equal(times, EventFile.WallTimes(EventLog.FilesIn(In("run", "logs", "fc")).Single()));
        Assert.Equal(WithoutTimes(expected).Where(file => !file.Contains("previous", StringComparison.Ordinal)), WithoutTimes(Files("run")));
    }

    [Fact]
    public async Task A_resumed_run_takes_the_threads_of_the_machine_unless_they_were_asked_for()
    {
        string[] options = [.. _quick.Where(option => option is not ("--threads" or "2" or "--quiet"))];
        foreach (var (run, threads, expected) in new (string, string[], string)[] { ("free", [], "1 thread"), ("asked", ["--threads", "2"], "2 threads") })
        {
            Assert.Equal(0, (await AutoencoderProcess.RunAsync([.. options, .. threads, "--epochs", "1", "--output", In(run)])).ExitCode);
            var resumed = await AutoencoderProcess.RunAsync(
                info => info.Environment["DOTNET_PROCESSOR_COUNT"] = "1", "train", "--resume", "--epochs", "2", "--output", In(run));
            Assert.Contains(expected, resumed.Errors, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("epochs", "0")]
    [InlineData("batch_size", "0")]
    [InlineData("learning_rate", "1e400")]
    [InlineData("learning_rate", "1e-50")]
    [InlineData("protocol", "-1")]
    [InlineData("protocol", "\"none\"")]
    [InlineData("protocol", "\"STABLE\"")]
    [InlineData("protocol", "\"stable, reference\"")]
    [InlineData("data", "\"\"")]
    [InlineData("model2", "\"fc\"")]
    [InlineData("threads", "2000")]
    [InlineData("seed", "-1")]
    [InlineData("model", "null")]
    [InlineData("model", "\"784-0-784\"")]
    [InlineData("optimizer", "\"newton\"")]
    [InlineData("train_limit", "\"many\"")]
    public async Task A_summary_that_says_what_no_run_can_have_is_damaged(string option, string value)
    {
        var summary = JsonNode.Parse(new RunSummary(
            TrainingRun.Versions, new("cpu", "CPU"), new TrainingOptions().ToJson(), new("mnist", "x", false, 1, 1), []).ToJson())!;
        RunRecord.Parse(Encoding.UTF8.GetBytes(summary.ToJsonString()));
        summary["options"]![option] = JsonNode.Parse(value);
        Directory.CreateDirectory(In("run"));
        File.WriteAllText(In("run", "summary.json"), summary.ToJsonString());
        TrainCommandTests.AssertError(4, "summary.json is damaged", await AutoencoderProcess.RunAsync("train", "--resume", "--output", In("run")));
    }

    [Theory]
    [InlineData("summary-crash-1.json")]
    [InlineData("summary-crash-2.json")]
    [InlineData("summary-crash-3.json")]
    [InlineData("summary-crash-4.json")]
    public async Task Summaries_that_crashed_once_are_damaged(string name)
    {
        Directory.CreateDirectory(In("run"));
        File.Copy(Path.Combine(AppContext.BaseDirectory, "App", "Cases", name), In("run", "summary.json"));
        TrainCommandTests.AssertError(4, "summary.json is damaged", await AutoencoderProcess.RunAsync("train", "--resume", "--output", In("run")));
    }

    private async Task TrainAsync(string run, params string[] options) =>
        Assert.Equal(0, (await AutoencoderProcess.RunAsync([.. _quick, .. options, "--output", In(run)])).ExitCode);

    private static int EpochsOf(string run) =>
        JsonNode.Parse(Safetensors.Load(Path.Combine(run, "fc", "checkpoint.safetensors")).Metadata["history"])!.AsArray().Count;

    /// <summary>Flips a bit of a weight.</summary>
    private static void Damage(string file)
    {
        var bytes = File.ReadAllBytes(file);
        bytes[^100] ^= 1;
        File.WriteAllBytes(file, bytes);
    }

    private static IEnumerable<string> WithoutTimes(IEnumerable<string> files) =>
        files.Select(file => file.StartsWith("logs/", StringComparison.Ordinal) ? Path.GetDirectoryName(file)! : file);

    private string[] Files(string run) =>
    [
        .. Directory.EnumerateFiles(In(run), "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(In(run), file).Replace('\\', '/')).Order(StringComparer.Ordinal),
    ];

    private string In(params string[] parts) => Path.Combine([_folder.Path, .. parts]);
}
