using System.Diagnostics;
using AutoencoderGpu.App.Images;
using AutoencoderGpu.App.Reports;
using AutoencoderGpu.Tests.App.Data;
using SkiaSharp;
using Xunit;

namespace AutoencoderGpu.Tests.App;

/// <summary>Hostile input, output that fails, signals, and training that dies, each met by one line and the right exit code.</summary>
public sealed class FaultTests : IDisposable
{
    private static readonly string[] _synthetic = ["train", "--dataset", "synthetic", "--accelerator", "cpu", "--threads", "2", "--test-limit", "40"];
    private static readonly string[] _quick = [.. _synthetic, "--train-limit", "200", "--epochs", "1"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("git-lfs-pointer.safetensors", "git lfs pull")]
    [InlineData("pytorch-zip-weights.pt", "safetensors.torch.save_file")]
    [InlineData("holes-or-trailing.safetensors", "follow the last tensor")]
    public async Task Files_that_are_not_weights_are_named_with_what_gets_them(string name, string remedy) =>
        TrainCommandTests.AssertError(4, remedy, await AutoencoderProcess.RunAsync("eval", "--weights", Case(name)));

    [Theory]
    [InlineData("tall-1x1000000.png", "too many")]
    [InlineData("png-allocation.png", "too many")]
    [InlineData("webp-claims-9140x10495.webp", "37 bytes")]
    [InlineData("/dev/zero", "a device")]
    [InlineData("", "empty")]
    public async Task Images_that_claim_too_much_are_refused_at_once(string name, string reason)
    {
        var weights = await TrainAsync("fc");
        var watch = Stopwatch.StartNew();
        var result = await AutoencoderProcess.RunAsync(
            "reconstruct", "--as-is", "--accelerator", "cpu", "--weights", weights, "--output", _folder.File("out.png"), name.Length == 0 || name[0] == '/' ? name : Case(name));
        TrainCommandTests.AssertError(name.Length == 0 ? 2 : 4, reason, result);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Names_of_images_may_begin_with_an_at_and_be_of_any_script()
    {
        var weights = await TrainAsync("fc");
        foreach (var name in new[] { "@three.png", "数字三.png" })
            File.Copy(Case("three.png"), _folder.File(name));
        var result = await AutoencoderProcess.RunAsync(
            info => info.WorkingDirectory = _folder.Path,
            "reconstruct", "--accelerator", "cpu", "--weights", weights, "--output", "out.png", "@three.png", "数字三.png");
        Assert.Equal(0, result.ExitCode);
        // Where no font of the machine has a letter, its number stands there, not an empty box.
        Assert.True(Picture.TextWidth("数字三.png", 20) > Picture.TextWidth("三.png", 20));
    }

    [Fact]
    public void Long_and_narrow_images_are_scaled_in_no_time()
    {
        var watch = Stopwatch.StartNew();
        Assert.Equal(784, new GreyImage(new byte[65_000], 1, 65_000).ToSquare(28).Length);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Png_files_are_turned_by_their_orientation(bool isLittle)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(30, 20));
        bitmap.Erase(SKColors.Black);
        bitmap.Erase(SKColors.White, new SKRectI(0, 0, 10, 10));
        using var encoded = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        var png = encoded.ToArray();
        // 6: the first row lies along the right side.
        byte[] tiff = isLittle
            ? [.. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0]
            : [.. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
        byte[] chunk = [0, 0, 0, (byte)tiff.Length, .. "eXIf"u8, .. tiff, 0, 0, 0, 0];
        const int afterHeader = 8 + 25;
        var turned = Picture.ReadGrey(_folder.Write("turned.png", [.. png[..afterHeader], .. chunk, .. png[afterHeader..]]));
        Assert.Equal((20, 30), (turned.Width, turned.Height));
        Assert.Equal((0, 255), (turned[0, 0], turned[19, 0]));
    }

    [Fact]
    public async Task Pipes_and_empty_names_are_refused_and_links_followed()
    {
        TemporaryFolder.MakePipe(_folder.File("pipe"));
        var weights = await TrainAsync("fc");
        TrainCommandTests.AssertError(4, "a pipe", await AutoencoderProcess.RunAsync("eval", "--weights", _folder.File("pipe")));
        TrainCommandTests.AssertError(2, "--output", await AutoencoderProcess.RunAsync([.. _quick, "--output", ""]));
        TrainCommandTests.AssertError(2, "--data", await AutoencoderProcess.RunAsync("eval", "--weights", weights, "--data", ""));
        TrainCommandTests.AssertError(2, "empty name", await AutoencoderProcess.RunAsync("eval", "--weights", ""));

        var images = _folder.Write("far-away", Idx.Images());
        File.CreateSymbolicLink(_folder.File("link"), images);
        Assert.Equal(12, AutoencoderGpu.App.Data.IdxFile.ReadImages(_folder.File("link")).Values.Length);
    }

    [Fact]
    public void Writing_keeps_links_and_devices_and_long_names()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such devices.");
        File.WriteAllText(_folder.File("target"), "old");
        File.CreateSymbolicLink(_folder.File("link"), "target");
        AtomicFile.WriteText(_folder.File("link"), "new");
        Assert.Equal(("new", "target"), (File.ReadAllText(_folder.File("target")), new FileInfo(_folder.File("link")).LinkTarget));
        AtomicFile.WriteText("/dev/null", "nothing");
        Assert.Equal(0, new FileInfo("/dev/null").Length);
        var name = new string('a', 250) + ".png";
        AtomicFile.WriteText(_folder.File(name), "long");
        Assert.Equal("long", File.ReadAllText(_folder.File(name)));
    }

    [Theory]
    [InlineData("2> /dev/full", 0)]
    [InlineData("2>&-", 0)]
    [InlineData("> /dev/full", 1)]
    [InlineData(">&-", 1)]
    public async Task Output_that_fails_ends_no_run(string redirection, int code)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/dev/full is Linux'.");
        var whole = await TrainAsync("fc");
        var result = await AutoencoderProcess.RedirectedAsync(redirection, [.. _quick, "--model", "fc", "--output", _folder.File("other")]);
        Assert.Equal(code, result.ExitCode);
        if (code != 0)
            TrainCommandTests.AssertError(code, "standard output", result with { Output = "" });
        Assert.Equal(File.ReadAllBytes(whole), File.ReadAllBytes(Path.Combine(_folder.File("other"), "fc", "best.safetensors")));
        Assert.Equal(code, (await AutoencoderProcess.RedirectedAsync(redirection, "--help")).ExitCode);
    }

    [Fact]
    public async Task A_build_server_gets_no_escapes()
    {
        var result = await AutoencoderProcess.RunAsync(info => info.Environment["GITHUB_ACTIONS"] = "true", "devices");
        Assert.DoesNotContain("\e", result.Output + result.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fc", "--learning-rate", "50")]
    [InlineData("fc", "--optimizer", "adam", "--learning-rate", "0.1", "--loss", "bce")]
    [InlineData("dense 32 relu | dense 784", "--learning-rate", "3")]
    public async Task Training_that_dies_quietly_ends_with_code_5(string model, params string[] options)
    {
        var result = await AutoencoderProcess.RunAsync([.. _synthetic, "--model", model, "--train-limit", "3000", "--epochs", "3", "--output", _folder.File("run"), .. options]);
        TrainCommandTests.AssertError(5, "has died", result);
    }

    [Fact]
    public async Task A_data_file_that_the_memory_does_not_hold_is_named_with_its_size()
    {
        var images = _folder.Write("train-images-idx3-ubyte", [0, 0, 8, 3, 0, 0, 0xEA, 0x60, 0, 0, 0, 28, 0, 0, 0, 28, .. new byte[60_000 * 784]]);
        foreach (var name in (string[])["train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
            _folder.Write(name, []);
        var result = await AutoencoderProcess.RunAsync(
            info => info.Environment["DOTNET_GCHeapHardLimit"] = "0x2000000",
            "--dataset", "mnist", "--data", _folder.Path, "--accelerator", "cpu", "--output", _folder.File("run"));
        Assert.Equal(3, result.ExitCode);
        Assert.StartsWith($"error: {images} holds 47.0 MB, more than is left of the 33.6 MB that .NET may use; ", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rate_that_is_too_small_is_to_be_raised() => TrainCommandTests.AssertError(
        5, "raise --learning-rate", await AutoencoderProcess.RunAsync([.. _synthetic, "--model", "fc", "--train-limit", "200", "--learning-rate", "1e-30", "--epochs", "2", "--output", _folder.File("run")]));

    [Fact]
    public async Task Long_steps_and_other_commands_are_stopped_within_moments()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows knows no SIGINT to another process.");
        using var bitmap = new SKBitmap(new SKImageInfo(3000, 2000));
        bitmap.Erase(SKColors.White);
        bitmap.Erase(SKColors.Black, new SKRectI(1000, 200, 1300, 1800));
        using var encoded = bitmap.Encode(SKEncodedImageFormat.Png, 50);
        _folder.Write("photo.png", encoded.ToArray());
        string[] reconstruct =
            ["reconstruct", "--accelerator", "cpu", "--weights", await TrainAsync("fc"), "--output", _folder.File("out.png"), .. Enumerable.Repeat(_folder.File("photo.png"), 300)];
        var begun = Stopwatch.StartNew();
        var (stopped, after) = await AutoencoderProcess.StopAsync(reconstruct, AutoencoderProcess.Interrupt, () => begun.Elapsed > TimeSpan.FromSeconds(2));
        Assert.Equal((130, "stopped"), (stopped.ExitCode, stopped.Errors));
        // Two seconds on a quiet machine.
        Assert.InRange(after, TimeSpan.Zero, TimeSpan.FromSeconds(6));
        Assert.False(File.Exists(_folder.File("out.png")));
    }

    [Fact]
    public async Task A_second_signal_ends_at_once_and_leaves_the_last_checkpoint_whole()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows knows no SIGINT to another process.");
        var run = _folder.File("run");
        string[] options = ["--model", "fc", "--train-limit", "60000", "--batch-size", "60000", "--epochs", "50", "--output", run];
        var begun = new Stopwatch();
        var (result, _) = await AutoencoderProcess.StopAsync(
            [.. _synthetic, .. options],
            AutoencoderProcess.Terminate,
            () =>
            {
                var isThere = File.Exists(Path.Combine(run, "fc", "checkpoint.safetensors"));
                if (isThere && !begun.IsRunning)
                    begun.Start();
                return isThere;
            },
            () => begun.ElapsedMilliseconds > 100);
        Assert.Equal(143, result.ExitCode);
        var before = File.GetLastWriteTimeUtc(Path.Combine(run, "fc", "checkpoint.safetensors"));
        var resumed = await AutoencoderProcess.StopAsync(
            ["train", "--resume", "--output", run],
            AutoencoderProcess.Interrupt,
            () => File.GetLastWriteTimeUtc(Path.Combine(run, "fc", "checkpoint.safetensors")) > before);
        Assert.Equal(130, resumed.Result.ExitCode);
        Assert.Contains("saved", resumed.Result.Errors, StringComparison.Ordinal);
    }

    private static string Case(string name) => Path.Combine(AppContext.BaseDirectory, "App", "Cases", name);

    private async Task<string> TrainAsync(string model)
    {
        Assert.Equal(0, (await AutoencoderProcess.RunAsync([.. _quick, "--model", model, "--quiet", "--output", _folder.File("trained")])).ExitCode);
        return Path.Combine(_folder.File("trained"), model, "best.safetensors");
    }
}
