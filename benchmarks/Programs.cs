using System.Diagnostics;

namespace AutoencoderGpu.Benchmarks;

/// <summary>Starts programs that lie beside this one.</summary>
internal static class Programs
{
    /// <summary>The program that is measured.</summary>
    public const string Autoencoder = "autoencoder";

    /// <summary>This program.</summary>
    public static string Own => typeof(Programs).Assembly.GetName().Name!;

    /// <summary>How to start a program: by <c>dotnet</c> where this one was started so, otherwise by its executable.</summary>
    /// <param name="name">Of its assembly, or the full path of an executable.</param>
    /// <param name="arguments">For it.</param>
    public static ProcessStartInfo StartInfo(string name, params string[] arguments)
    {
        var path = Path.Combine(AppContext.BaseDirectory, name);
        // A full path stays as it is.
        var info = path != name && Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet"
            ? new ProcessStartInfo(Environment.ProcessPath!, [path + ".dll", .. arguments])
            : new ProcessStartInfo(path, arguments);
        info.RedirectStandardOutput = true;
        return info;
    }

    /// <summary>Runs a program to its end.</summary>
    /// <returns>Its standard output.</returns>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static string Run(string name, params string[] arguments)
    {
        using var process = Process.Start(StartInfo(name, arguments))!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{name} {string.Join(' ', arguments)} ended with exit code {process.ExitCode}");
    }
}
