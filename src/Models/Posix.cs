using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace AutoencoderGpu.Models;

/// <summary>What .NET does not ask of Linux and its relatives; on other systems everything passes for a regular file.</summary>
internal static partial class Posix
{
    private const int RelativeToCurrentFolder = -100; // AT_FDCWD
    private const uint TypeOnly = 1; // STATX_TYPE
    private const int FileSizeExceeded = 25; // SIGXFSZ
    private const nint Ignore = 1; // SIG_IGN

    /// <summary>What a path that is there names, links followed, if it is neither a regular file nor a folder: "a pipe", "a device"; else null.</summary>
    public static string? SpecialKindOf(string path)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        try
        {
            if (GetStatus(RelativeToCurrentFolder, path, 0, TypeOnly, out var status) != 0)
                return null;
            return (status.Mode >> 12) switch
            {
                1 => "a pipe",
                2 or 6 => "a device",
                12 => "a socket",
                _ => null,
            };
        }
        catch (EntryPointNotFoundException)
        {
            return null; // glibc before 2.28
        }
    }

    /// <summary>Makes a folder's entries last through a power cut, after a file in it was made or renamed.</summary>
    public static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        using var handle = new SafeFileHandle(Open(folder, 0), ownsHandle: true);
        try
        {
            if (!handle.IsInvalid)
                RandomAccess.FlushToDisk(handle);
        }
        catch (IOException)
        {
            // Some network file systems refuse; what they promise is all there is.
        }
    }

    /// <summary>Lets writing beyond the limit of <c>ulimit -f</c> be an error of that write, not the process' end.</summary>
    public static void ReportFilesTooLarge()
    {
        if (!OperatingSystem.IsWindows())
            HandleSignal(FileSizeExceeded, Ignore);
    }

    /// <summary>How many files the process may have open; null where Linux does not say.</summary>
    public static int? MostOpenFiles()
    {
        const string title = "Max open files";
        if (!OperatingSystem.IsLinux() || !File.Exists("/proc/self/limits"))
            return null;
        var line = File.ReadAllText("/proc/self/limits").Split('\n').FirstOrDefault(line => line.StartsWith(title, StringComparison.Ordinal));
        return int.TryParse(line?[title.Length..].TrimStart().Split(' ')[0], out var most) ? most : null;
    }

    /// <summary>Makes a folder that is not there, and those above it.</summary>
    /// <returns>Whether this call has made it; of several processes, one has.</returns>
    /// <exception cref="IOException">It cannot be made.</exception>
    public static bool MakeFolder(string folder)
    {
        if (Path.Exists(folder))
            return false;
        if (!OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(folder))!);
            if (MakeFolder(folder, 511) == 0) // of which the user's mask takes away
                return true;
            if (Path.Exists(folder))
                return false;
        }

        Directory.CreateDirectory(folder);
        return true;
    }

    /// <summary>Ends the process at once: nothing is disposed of, and no thread waited for.</summary>
    public static void ExitNow(int code)
    {
        if (OperatingSystem.IsWindows())
            Environment.Exit(code);
        Exit(code);
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int GetStatus(int folder, string path, int flags, uint mask, out Status status);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "mkdir", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFolder(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint HandleSignal(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int code);

    /// <summary>The head of Linux' <c>struct statx</c>, which is the same on every processor.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Status
    {
        [FieldOffset(28)]
        public ushort Mode;
    }
}
