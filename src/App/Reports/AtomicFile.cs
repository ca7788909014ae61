using System.Text;

namespace AutoencoderGpu.App.Reports;

/// <summary>
/// Writes a file whole or not at all: into a temporary file of the same folder, which then takes the file's name. Whoever reads
/// the file, or stops the program, at any time sees the old content or the new one, never a part.
/// </summary>
public static class AtomicFile
{
    /// <summary>Replaces or creates <paramref name="path"/> with what <paramref name="write"/> writes.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="write">Gets an empty stream. When it throws, the old file stays and nothing else is left behind.</param>
    /// <exception cref="UserError">The folder is missing, full or not to be written (<see cref="ExitCode.Failed"/>).</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);

        // The same folder, because a rename is atomic only within one file system.
        string folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? ".";
        string temporary = Path.Combine(folder, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}.tmp");
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                write(stream);
                // Without this a power cut could leave the new name with none of its content.
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e)
        {
            DeleteQuietly(temporary);
            if (e is IOException or UnauthorizedAccessException)
                throw new UserError(ExitCode.Failed, $"Cannot write {path}: {Reason(e)}", e);
            throw;
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

    // The system's own message names the temporary file, which means nothing to a user.
    private static string Reason(Exception e) => e switch
    {
        DirectoryNotFoundException => "its folder does not exist.",
        UnauthorizedAccessException => "permission denied.",
        _ => e.Message.ReplaceLineEndings(" "),
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
