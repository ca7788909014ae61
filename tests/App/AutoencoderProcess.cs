using System.Diagnostics;
using System.Runtime.InteropServices;

namespace AutoencoderGpu.Tests.App;

/// <summary>What a run of the program left behind.</summary>
internal sealed record ProcessResult(int ExitCode, string Output, string Errors)
{
    public string[] ErrorLines => Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>Runs the program as its users do: a process of its own, from arguments to exit code.</summary>
internal static partial class AutoencoderProcess
{
    /// <summary>The signal of a terminal that is closed.</summary>
    public const int HangUp = 1;

    /// <summary>The signal of Ctrl-C.</summary>
    public const int Interrupt = 2;

    /// <summary>The signal that ends a container.</summary>
    public const int Terminate = 15;

    public static Task<ProcessResult> RunAsync(params string[] arguments) => RunAsync(_ => { }, arguments);

    /// <summary>Runs it in another environment, or by way of another program.</summary>
    public static Task<ProcessResult> RunAsync(Action<ProcessStartInfo> configure, params string[] arguments)
    {
        var info = StartInfo(arguments);
        configure(info);
        return RunAsync(null, info, Interrupt);
    }

    /// <summary>Runs it, and sends it a signal once a line on standard error contains a text.</summary>
    public static Task<ProcessResult> RunAsync(string? interruptAt, string[] arguments, int signal = Interrupt) =>
        RunAsync(interruptAt, StartInfo(arguments), signal);

    /// <summary>Runs it, and sends it signals, each when its condition holds.</summary>
    public static async Task<(ProcessResult Result, TimeSpan AfterLast)> StopAsync(string[] arguments, int signal, params Func<bool>[] conditions)
    {
        using var process = Process.Start(StartInfo(arguments))!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        foreach (var condition in conditions)
        {
            while (!condition() && !process.HasExited)
                await Task.Delay(10);
            if (!process.HasExited && Kill(process.Id, signal) != 0)
                throw new InvalidOperationException($"No signal could be sent: error {Marshal.GetLastPInvokeError()}.");
        }

        var last = Stopwatch.StartNew();
        await process.WaitForExitAsync();
        return (new(process.ExitCode, await output, (await errors).TrimEnd('\n')), last.Elapsed);
    }

    /// <summary>Runs it with its streams as a shell redirects them, such as <c>2&gt; /dev/full</c>.</summary>
    public static Task<ProcessResult> RedirectedAsync(string redirection, params string[] arguments) => RunAsync(
        info =>
        {
            string[] command = [info.FileName, .. info.ArgumentList];
            info.FileName = "sh";
            info.ArgumentList.Clear();
            foreach (var argument in (string[])["-c", $"exec \"$0\" \"$@\" {redirection}", .. command])
                info.ArgumentList.Add(argument);
        },
        arguments);

    private static async Task<ProcessResult> RunAsync(string? interruptAt, ProcessStartInfo info, int signal)
    {
        using var process = new Process { StartInfo = info };
        var errors = new List<string>();
        var interrupted = false;
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null)
                return;
            errors.Add(line.Data);
            if (interruptAt is not null && !interrupted && line.Data.Contains(interruptAt, StringComparison.Ordinal))
            {
                interrupted = true;
                if (Kill(process.Id, signal) != 0)
                    throw new InvalidOperationException($"No signal could be sent: error {Marshal.GetLastPInvokeError()}.");
            }
        };
        process.Start();
        process.BeginErrorReadLine();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new(process.ExitCode, output, string.Join('\n', errors));
    }

    private static ProcessStartInfo StartInfo(string[] arguments)
    {
        var info = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "autoencoder.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Data only as the test names it; a cache or mirror that happens to be there would make another test of it.
        info.Environment.Remove("AUTOENCODER_DATA");
        return info;
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
