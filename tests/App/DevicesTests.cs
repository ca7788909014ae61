using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using AutoencoderGpu.Kernels.Devices;
using AutoencoderGpu.Kernels.Instructions;
using Xunit;

namespace AutoencoderGpu.Tests.App;

/// <summary>
/// What the program says of accelerators that are there, that are not, and that do not suffice. Drivers of a few lines of C
/// (Drivers/) stand for machines that no test machine is: they are found as a system's own are.
/// </summary>
public sealed class DevicesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Devices_lists_the_cpu_and_says_what_auto_takes()
    {
        var (json, cpu) = await DevicesAsync("cpu");
        Assert.Equal((0, true, null), ((int)cpu.Single()["device"]!, (bool)cpu.Single()["usable"]!, (string?)cpu.Single()["reason"]));
        Assert.Contains((string)json["auto"]!, (string[])["cpu", "cuda", "opencl"]);
        Assert.NotEmpty((string)json["reason"]!);
    }

    [Theory]
    [InlineData("cuda")]
    [InlineData("opencl")]
    public async Task An_accelerator_that_is_absent_is_an_error_with_the_reason_that_devices_gives(string kind)
    {
        Assert.SkipWhen(
            Accelerators.Survey().Any(device => device.IsUsable && Accelerators.OptionOf(device.Kind) == kind), $"{kind} is there.");
        var (_, tried) = await DevicesAsync(kind);
        Assert.All(tried, device => Assert.False((bool)device["usable"]!));
        var result = await RunAsync("--accelerator", kind, "--dataset", "synthetic", "--output", _folder.File("run"));
        Assert.All(tried, device => TrainCommandTests.AssertError(3, (string)device["reason"]!, result));
        Assert.Empty(_folder.Names);
    }

    [Theory]
    [InlineData("cpu")]
    [InlineData("auto")]
    public async Task A_device_number_beyond_the_last_is_an_error_that_says_which_there_are(string kind) => TrainCommandTests.AssertError(
        3, "device 70: there ", await AutoencoderProcess.RunAsync("bench", "--accelerator", kind, "--device", "70"));

    [Fact]
    public async Task Only_usable_cuda_devices_are_numbered_and_the_others_explained()
    {
        Build("cuda");
        var (json, cuda) = await DevicesAsync("cuda");
        Assert.Equal("cuda", (string)json["auto"]!);
        Assert.Equal(["New GPU [1]", "Old GPU [0]"], cuda.Select(device => (string)device["name"]!));
        Assert.Equal([0, null], cuda.Select(device => (int?)device["device"]));
        Assert.Contains("compute capability is 2.1", (string)cuda[1]["reason"]!, StringComparison.Ordinal);
        var table = await RunAsync("devices");
        Assert.Equal(0, table.ExitCode);
        Assert.Contains("cuda: Old GPU [0] cannot be used: ", table.Output, StringComparison.Ordinal);
        TrainCommandTests.AssertError(3, "no CUDA device 1: there is one, device 0;", await RunAsync("bench", "--accelerator", "cuda", "--device", "1"));
        TrainCommandTests.AssertError(3, "New GPU [1], could not be opened: CUDA_ERROR_OUT_OF_MEMORY", await RunAsync("bench"));
    }

    [Theory]
    [InlineData("FAKE_CUDA_ERROR", "100", "finds no device")]
    [InlineData("FAKE_CUDA_ERROR", "803", "error 803, system has unsupported display driver")]
    [InlineData("FAKE_CUDA_VERSION", "8000", "its driver is for CUDA 8.0")]
    public async Task A_cuda_driver_that_fails_is_told_from_one_that_is_missing(string variable, string value, string expected)
    {
        Build("cuda");
        TrainCommandTests.AssertError(3, expected, await RunAsync(
            info => info.Environment[variable] = value, "bench", "--accelerator", "cuda"));
    }

    [Fact]
    public async Task Only_usable_opencl_devices_are_numbered_gpus_first_and_the_others_explained()
    {
        Build("OpenCL");
        var (_, opencl) = await DevicesAsync("opencl");
        Assert.Equal(
            ["New GPU [0x56a0]", "CPU", "Old GPU", "Lost GPU", "Poor GPU", "Narrow GPU", "Empty platform"], opencl.Select(device => (string)device["name"]!));
        Assert.Equal([0, 1, null, null, null, null, null], opencl.Select(device => (int?)device["device"]));
        string[] reasons = ["OpenCL C 1.2", "not available", "generic address space", "128 work-items", "no devices"];
        Assert.Equal([null, null, .. reasons], opencl.Select(device =>
            reasons.SingleOrDefault(text => device["reason"] is { } reason && ((string)reason!).Contains(text, StringComparison.Ordinal))));
        TrainCommandTests.AssertError(3, "there are 2, devices 0 to 1;", await RunAsync("bench", "--accelerator", "opencl", "--device", "2"));
        TrainCommandTests.AssertError(3, "CPU, could not be opened: CL_OUT_OF", await RunAsync("bench", "--accelerator", "opencl", "--device", "1"));
    }

    [Theory]
    [InlineData(PortableKernel.LargestSharedBytes, "opencl")]
    [InlineData(PortableKernel.LargestSharedBytes - 1, "cpu")]
    public async Task A_gpu_whose_groups_share_too_little_memory_for_the_kernels_is_not_taken(int bytes, string auto)
    {
        Build("OpenCL");
        void Limit(ProcessStartInfo info) => info.Environment["FAKE_OPENCL_LOCAL"] = bytes.ToString(CultureInfo.InvariantCulture);
        var devices = await RunAsync(Limit, "devices", "--json");
        Assert.Equal(auto, (string)JsonNode.Parse(devices.Output)!["auto"]!);
        if (auto == "cpu")
            TrainCommandTests.AssertError(3, $"New GPU [0x56a0] cannot be used: its groups have {bytes} bytes", await RunAsync(Limit, "bench", "--accelerator", "opencl"));
    }

    [Theory]
    [InlineData("conv")]
    [InlineData("both")]
    public async Task A_model_without_room_in_memory_says_how_much_it_needs_and_leaves_an_old_run_alone(string model)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Memory is limited by a shell of Linux.");
        string[] options = ["--accelerator", "cpu", "--dataset", "synthetic", "--epochs", "1", "--test-limit", "20", "--output", _folder.File("run")];
        Assert.Equal(0, (await AutoencoderProcess.RunAsync([.. options, "--model", "fc", "--train-limit", "20"])).ExitCode);
        var result = await AutoencoderProcess.RunAsync(
            info =>
            {
                // .NET itself asks for some gigabytes, and the model for seven.
                foreach (var (i, argument) in new[] { "-c", "ulimit -v 6000000; exec \"$0\" \"$@\"", info.FileName }.Index())
                    info.ArgumentList.Insert(i, argument);
                info.FileName = "/bin/sh";
            },
            [.. options, "--model", model, "--force", "--train-limit", "23000", "--batch-size", "23000"]);
        TrainCommandTests.AssertError(3, "for Conv with mini-batches of 23000 images;", result);
        Assert.Matches("[78],[0-9]{3}\\.[0-9] MiB are needed", result.Errors);
        Assert.Matches("--batch-size [0-9]+ would fit", result.Errors);
        Assert.True(File.Exists(Path.Combine(_folder.File("run"), "fc", "best.safetensors")));
    }

    private async Task<(JsonNode All, JsonNode[] OfKind)> DevicesAsync(string kind)
    {
        var result = await RunAsync("devices", "--json");
        Assert.Equal(0, result.ExitCode);
        var json = JsonNode.Parse(result.Output)!;
        return (json, [.. json["devices"]!.AsArray().Where(device => (string)device!["accelerator"]! == kind).Select(device => device!)]);
    }

    /// <summary>Runs the program with the drivers that were built.</summary>
    private Task<ProcessResult> RunAsync(params string[] arguments) => RunAsync(_ => { }, arguments);

    private Task<ProcessResult> RunAsync(Action<ProcessStartInfo> configure, params string[] arguments) => AutoencoderProcess.RunAsync(
        info =>
        {
            info.Environment["LD_LIBRARY_PATH"] = _folder.Path;
            configure(info);
        },
        arguments);

    private void Build(string driver)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The drivers that tests bring are for Linux.");
        var source = Path.Combine(AppContext.BaseDirectory, "App", "Drivers", $"{driver.ToLowerInvariant()}.c");
        Process compiler;
        try
        {
            compiler = Process.Start("cc", ["-shared", "-fPIC", "-o", _folder.File($"lib{driver}.so"), source]);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("There is no C compiler, cc.");
            return;
        }

        using (compiler)
        {
            compiler.WaitForExit();
            Assert.Equal(0, compiler.ExitCode);
        }
    }
}
