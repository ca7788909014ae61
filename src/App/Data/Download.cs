using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using AutoencoderGpu.App.Reports;

namespace AutoencoderGpu.App.Data;

/// <summary>How far the download of one file is.</summary>
/// <param name="File">Its name.</param>
/// <param name="Bytes">Compressed bytes at hand, those of an earlier attempt included.</param>
/// <param name="Total">Compressed bytes in all, if the server says.</param>
public readonly record struct DownloadProgress(string File, long Bytes, long? Total);

/// <summary>
/// Fetches data files. Each grows as <c>NAME.gz.part</c>, goes on where an earlier attempt broke off, and is renamed to
/// <c>NAME.gz</c> once its content is verified, so a file under its own name is always whole.
/// </summary>
public static class Download
{
    private const int AttemptsPerMirror = 3;
    private const string LockName = ".download.lock";
    private static readonly TimeSpan _idleTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _lockPollInterval = TimeSpan.FromMilliseconds(200);

    private static readonly HttpClient _client = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(10) })
    {
        // A slow connection may take its time; _idleTimeout ends one that stands still.
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>Fetches those of the files that a folder lacks. Processes that fetch into one folder take turns.</summary>
    /// <param name="files">What the folder is to hold.</param>
    /// <param name="folder">Made if missing.</param>
    /// <param name="mirrors">Base addresses that end in a slash, in the order in which they are tried.</param>
    /// <param name="progress">Called for every block received.</param>
    /// <param name="cancellation">Stops the download; what has come so far is kept for the next attempt.</param>
    /// <exception cref="UserError"><see cref="ExitCode.Data"/>: no mirror delivers a file, or it cannot be written.</exception>
    public static async Task FetchMissingAsync(IReadOnlyList<DataFile> files, string folder, IReadOnlyList<Uri> mirrors,
        IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        if (files.All(file => file.Find(folder) is not null))
            return;
        try
        {
            Directory.CreateDirectory(folder);
            await using var folderLock = await LockAsync(Path.Combine(folder, LockName), cancellation);
            foreach (var file in files)
            {
                // Looked for again: whoever held the lock before may have fetched it.
                if (file.Find(folder) is null)
                    await FetchAsync(file, folder, mirrors, progress, cancellation);
            }
        }
        catch (Exception error) when (AtomicFile.IsFailure(error))
        {
            throw new UserError(ExitCode.Data, $"{folder} cannot be written: {error.Message}; name another with --data", error);
        }
    }

    private static async Task FetchAsync(DataFile file, string folder, IReadOnlyList<Uri> mirrors,
        IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        string name = file.Name + ".gz";
        string part = Path.Combine(folder, name + ".part");
        var failures = new List<string>();
        foreach (var mirror in mirrors)
        {
            string? failure = null;
            bool again = true;
            for (int attempt = 0; again && attempt < AttemptsPerMirror; attempt++)
            {
                long before = PartBytes(part);
                failure = await TransferAsync(new Uri(mirror, name), file, part, progress, cancellation);
                if (failure is null && IsWhole(part, file))
                {
                    File.Move(part, Path.Combine(folder, name), overwrite: true);
                    return;
                }

                // A connection that broke off is worth another attempt if it brought something.
                again = PartBytes(part) > before;
                if (failure is null)
                {
                    File.Delete(part);
                    failure = "damaged content, deleted";
                    // The mirror is to blame only for what it sent from the first byte on.
                    again = before > 0;
                }
            }
            failures.Add($"{mirror.Authority}: {failure}");
        }
        throw new UserError(ExitCode.Data, $"{name} cannot be fetched into {folder} ({string.Join("; ", failures)}); "
            + "check the connection and try again, or copy the file there");
    }

    /// <summary>Appends to the part what is missing of it.</summary>
    /// <returns>Null if all of it has come, else what went wrong.</returns>
    private static async Task<string?> TransferAsync(Uri source, DataFile file, string part,
        IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            long atHand = PartBytes(part);
            using var request = new HttpRequestMessage(HttpMethod.Get, source);
            if (atHand > 0)
                request.Headers.Range = new RangeHeaderValue(atHand, null);

            idle.CancelAfter(_idleTimeout);
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, idle.Token);
            FileMode mode;
            switch (response.StatusCode)
            {
                case HttpStatusCode.PartialContent when response.Content.Headers.ContentRange?.From == atHand:
                    mode = FileMode.Append;
                    break;
                case HttpStatusCode.OK:
                    // Nothing was at hand, or the server ignores ranges and sends all of it again.
                    mode = FileMode.Create;
                    break;
                case HttpStatusCode.RequestedRangeNotSatisfiable when atHand > 0:
                    // Nothing comes after the part: it is either whole or no part of this file.
                    return null;
                case var status:
                    return $"HTTP status {(int)status}";
            }

            await using var output = new FileStream(part, mode, FileAccess.Write);
            long? total = output.Position + response.Content.Headers.ContentLength;
            await using var input = await response.Content.ReadAsStreamAsync(cancellation);
            byte[] buffer = new byte[1 << 16];
            while (true)
            {
                idle.CancelAfter(_idleTimeout);
                int read = await ReceiveAsync(input, buffer, idle.Token);
                if (read == 0)
                    return null;
                // A mirror that sends no end of bytes is stopped; verification finds them damaged.
                if (output.Position + read > MaximumCompressedBytes(file))
                    return null;
                await output.WriteAsync(buffer.AsMemory(0, read), cancellation);
                progress?.Report(new DownloadProgress(file.Name + ".gz", output.Position, total));
            }
        }
        catch (HttpRequestException error)
        {
            return error.Message;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return "no answer in time";
        }
    }

    // A broken connection must not pass for a disk that cannot be written, which is an IOException too.
    private static async ValueTask<int> ReceiveAsync(Stream input, Memory<byte> buffer, CancellationToken cancellation)
    {
        try
        {
            return await input.ReadAsync(buffer, cancellation);
        }
        catch (IOException error)
        {
            throw new HttpRequestException(error.Message, error);
        }
    }

    private static bool IsWhole(string path, DataFile file)
    {
        try
        {
            using var content = IdxFile.OpenContent(path);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            byte[] buffer = new byte[1 << 16];
            long bytes = 0;
            for (int read; (read = content.Read(buffer)) > 0 && bytes <= file.Bytes; bytes += read)
                hash.AppendData(buffer, 0, read);
            return bytes == file.Bytes && Convert.ToHexStringLower(hash.GetHashAndReset()) == file.Sha256;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static async Task<FileStream> LockAsync(string path, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                // The empty file stays: deleting it would let two processes lock two files of the same name.
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException error) when (IsSharingViolation(error))
            {
                await Task.Delay(_lockPollInterval, cancellation);
            }
        }
    }

    // ERROR_SHARING_VIOLATION on Windows, EWOULDBLOCK on Linux and on macOS.
    private static bool IsSharingViolation(IOException error) =>
        (error.HResult & 0xffff) == (OperatingSystem.IsWindows() ? 32 : OperatingSystem.IsMacOS() ? 35 : 11);

    private static long PartBytes(string part) => File.Exists(part) ? new FileInfo(part).Length : 0;

    // Deflate stores what it cannot compress, with 5 bytes a block of at most 64 KiB.
    private static long MaximumCompressedBytes(DataFile file) => file.Bytes + file.Bytes / 1000 + 1024;
}
