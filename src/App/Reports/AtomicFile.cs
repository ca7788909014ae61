using System.Globalization;
using System.Text;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Reports;

/// <summary>
/// Writes a file whole or not at all: into a temporary file of the same folder, which then takes the file's name. Whoever reads
/// the file, or stops the program, at any time sees the old content or the new one, never a part.
/// </summary>
public static class AtomicFile
{
    private const string TemporaryPrefix = ".autoencoder-";
    private const string TemporarySuffix = ".tmp";

    /// <summary>Replaces or creates <paramref name="path"/> with what <paramref name="write"/> writes.</summary>
    /// <param name="path">The file; its folder must exist. A link stays, and the file that it names is replaced; a pipe or device is written into.</param>
    /// <param name="write">Gets an empty stream. When it throws, the old file stays and nothing else is left behind.</param>
    /// <param name="previous">Where the old file goes to, in the same folder; null for nowhere.</param>
    /// <exception cref="UserError">The folder is missing, full or not to be written (<see cref="ExitCode.Failed"/>).</exception>
    public static void Write(string path, Action<Stream> write, string? previous = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        try
        {
            if (Posix.SpecialKindOf(path) is not null)
                WriteInto(path, write);
            else
                Replace(TargetOf(path), write, previous);
        }
        catch (Exception e) when (IsFailure(e))
        {
            throw new UserError(ExitCode.Failed, $"Cannot write {path}: {Reason(e)}", e);
        }
    }

    /// <summary>Replaces or creates <paramref name="path"/> with these bytes; see <see cref="Write"/>.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="content">All of the file.</param>
    public static void WriteBytes(string path, byte[] content) => Write(path, stream => stream.Write(content));

    /// <summary>Replaces or creates <paramref name="path"/> with this text in UTF-8; see <see cref="Write"/>.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="content">All of the file.</param>
    public static void WriteText(string path, string content) => WriteBytes(path, Encoding.UTF8.GetBytes(content));

    /// <summary>Whether an exception says that a file cannot be written; the last is what .NET makes of one beyond the limit of <c>ulimit -f</c> or of the file system.</summary>
    public static bool IsFailure(Exception e) => e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException { ParamName: "value" };

    /// <summary>Whether a file is what a killed program leaves behind of one that it was writing.</summary>
    public static bool IsTemporary(string path) => Path.GetFileName(path) is { } name
        && name.StartsWith(TemporaryPrefix, StringComparison.Ordinal) && name.EndsWith(TemporarySuffix, StringComparison.Ordinal);

    private static string TargetOf(string path) =>
        new FileInfo(path) is { LinkTarget: not null } link ? link.ResolveLinkTarget(returnFinalTarget: true)!.FullName : Path.GetFullPath(path);

    private static void Replace(string path, Action<Stream> write, string? previous)
    {
        // The same folder, because a rename is atomic only within one file system; a short name, because the file's own may be as long as names can be.
        var folder = Path.GetDirectoryName(path) ?? path;
        var temporary = Path.Combine(
            folder, string.Create(CultureInfo.InvariantCulture, $"{TemporaryPrefix}{Guid.NewGuid().ToString("N")[..12]}{TemporarySuffix}"));
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                write(stream);
                // Without this a power cut could leave the new name with none of its content.
                stream.Flush(flushToDisk: true);
            }

            if (previous is not null && File.Exists(path))
                File.Move(path, previous, overwrite: true);
            File.Move(temporary, path, overwrite: true);
            Posix.FlushFolder(folder);
        }
        catch
        {
            DeleteQuietly(temporary);
            throw;
        }
    }

    private static void WriteInto(string path, Action<Stream> write)
    {
        using var content = new MemoryStream();
        write(content);
        using var device = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        device.Write(content.GetBuffer().AsSpan(0, (int)content.Length));
    }

    // The system's own message names the temporary file, which means nothing to a user.
    private static string Reason(Exception e) => e switch
    {
        DirectoryNotFoundException => "its folder does not exist.",
        FileNotFoundException => "it cannot be made there.",
        UnauthorizedAccessException => "permission denied.",
        PathTooLongException => "its name is too long.",
        ArgumentOutOfRangeException => "it is larger than files may be here (ulimit -f shows a limit).",
        _ => e.Message.Split(" : ")[0].ReplaceLineEndings(" "),
    };

    private static void DeleteQuietly(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The error that brought us here says more than this one.
        }
    }
}
