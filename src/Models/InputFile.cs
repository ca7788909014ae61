namespace AutoencoderGpu.Models;

/// <summary>Opens files that others made: regular ones only, since a pipe may never end, and none beyond a size that its reader has use for.</summary>
internal static class InputFile
{
    /// <summary>Opens a file; links are followed.</summary>
    /// <param name="path">The file.</param>
    /// <param name="longest">Bytes that it may have.</param>
    /// <exception cref="InvalidDataException">It is a pipe or a device, or too long; the message says so in one line.</exception>
    /// <exception cref="IOException">It is not there, or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read, or is a folder.</exception>
    public static FileStream Open(string path, long longest)
    {
        if (string.IsNullOrEmpty(path) || path.Contains('\0', StringComparison.Ordinal))
            throw new InvalidDataException("it is not a file's name");
        // Looked at before it is opened, which waits until somebody writes into a pipe.
        if (Posix.SpecialKindOf(path) is { } kind)
            throw new InvalidDataException($"it is {kind}, and regular files are read only; write its content into one");
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 1 << 16);
        if (file.Length <= longest)
            return file;
        var length = file.Length;
        file.Dispose();
        throw new InvalidDataException($"it has {length:N0} bytes, and at most {longest:N0} are read");
    }

    /// <summary>All of a file; see <see cref="Open"/>.</summary>
    public static byte[] ReadAllBytes(string path, long longest)
    {
        using var file = Open(path, longest);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }
}
