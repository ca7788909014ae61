using System.Diagnostics;
using System.Globalization;
using System.Text;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Training;

/// <summary>
/// Keeps a folder to one process: a lock of the system on the file <c>lock</c>, which ends with the process however that ends. The file
/// says who holds it. Where a file system knows no locks, a process of this machine that still runs is believed to hold it.
/// </summary>
internal sealed class FolderLock : IDisposable
{
    /// <summary>The file's name.</summary>
    public const string FileName = "lock";

    /// <summary>What is locked lies behind the text, which others may read.</summary>
    private const long LockedByte = 1 << 20;

    private readonly FileStream _file;

    private FolderLock(FileStream file) => _file = file;

    /// <summary>Takes the lock.</summary>
    /// <param name="folder">Must exist.</param>
    /// <exception cref="UserError">Another process has it (<see cref="ExitCode.Usage"/>).</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static FolderLock Take(string folder)
    {
        var path = PathIn(folder);
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        try
        {
            if (IsHeld(file, out var holder))
                throw InUse(folder, holder);
            if (holder is null && file.Length > 0)
                throw NoLock(path);
            file.SetLength(0);
            file.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId} {Environment.MachineName}\n")));
            return new(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Looks whether the lock can be had; changes nothing.</summary>
    /// <exception cref="UserError">Another process has it.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static void Check(string folder)
    {
        var path = PathIn(folder);
        if (!File.Exists(path))
            return;
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        if (IsHeld(file, out var holder))
            throw InUse(folder, holder);
    }

    /// <summary>Gives the folder back. The empty file stays: deleting it would let two processes lock two files of the same name.</summary>
    public void Dispose()
    {
        try
        {
            _file.SetLength(0);
        }
        catch (IOException)
        {
            // The lock is given back all the same.
        }

        _file.Dispose();
    }

    private static string PathIn(string folder)
    {
        var path = Path.Combine(folder, FileName);
        return Posix.SpecialKindOf(path) is null ? path : throw NoLock(path);
    }

    private static UserError NoLock(string path) => new(ExitCode.Usage, $"{path} is no lock of this program; name another folder with --output");

    private static UserError InUse(string folder, string? holder) =>
        new(ExitCode.Usage, $"{folder} is in use by {holder ?? "another process"}; wait for it, or name another folder with --output");

    /// <param name="file">Of the lock; locked by this, for writing if it may be written.</param>
    /// <param name="holder">Whom the file names; null for nobody.</param>
    private static bool IsHeld(FileStream file, out string? holder)
    {
        var text = new byte[256];
        var parts = Encoding.UTF8.GetString(text, 0, RandomAccess.Read(file.SafeFileHandle, text, 0)).Trim().Split(' ', 2);
        var process = parts.Length == 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : (int?)null;
        holder = process is null ? null : $"process {process} on {parts[1]}";
        try
        {
#pragma warning disable CA1416 // Where there is no such lock, as on macOS, the process is looked for.
            file.Lock(LockedByte, 1);
#pragma warning restore CA1416
            return false;
        }
        catch (IOException e) when (IsTaken(e))
        {
            return true;
        }
        catch (Exception e) when (e is IOException or PlatformNotSupportedException)
        {
            return process is { } other && other != Environment.ProcessId && parts[1] == Environment.MachineName && Runs(other);
        }
    }

    // ERROR_LOCK_VIOLATION on Windows, EAGAIN or EACCES elsewhere.
    private static bool IsTaken(IOException e) => (e.HResult & 0xffff) is var code && (OperatingSystem.IsWindows() ? code == 33 : code is 11 or 13);

    private static bool Runs(int process)
    {
        try
        {
            using var found = Process.GetProcessById(process);
            return !found.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
