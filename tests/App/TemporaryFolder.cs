using System.Diagnostics;
using Xunit;

namespace AutoencoderGpu.Tests.App;

/// <summary>An empty folder that goes with the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("autoencoder-tests-").FullName;

    public string[] Names => [.. Directory.EnumerateFileSystemEntries(Path).Select(f => System.IO.Path.GetFileName(f)!).Order()];

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public string Write(string name, byte[] content)
    {
        System.IO.File.WriteAllBytes(File(name), content);
        return File(name);
    }

    /// <summary>Makes a named pipe, at whose other end is nobody.</summary>
    public static void MakePipe(string path)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has other pipes.");
        using var made = Process.Start("mkfifo", path);
        made.WaitForExit();
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
