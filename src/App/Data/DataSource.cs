using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Data;

/// <summary>Which data a run asks for.</summary>
/// <param name="Name"><c>--dataset</c>, null if not given.</param>
/// <param name="Directory"><c>--data</c>, null if not given.</param>
/// <param name="TrainLimit">At most so many training images; null for all.</param>
/// <param name="TestLimit">At most so many test images; null for all.</param>
/// <param name="Seed">Of the synthetic digits; the training's own seed leaves the data alone.</param>
public sealed record DataRequest(
    string? Name = null, string? Directory = null, int? TrainLimit = null, int? TestLimit = null, ulong Seed = 1);

/// <summary>Where a data set is and which of its files are there, unread.</summary>
/// <param name="Name">As in <c>--dataset</c>.</param>
/// <param name="Origin">A folder, or "built in".</param>
/// <param name="Present">Paths of the files that are there.</param>
/// <param name="Missing">Names of the files that are not.</param>
public sealed record DataSetStatus(
    string Name, string Origin, IReadOnlyList<string> Present, IReadOnlyList<string> Missing);

/// <summary>Finds, fetches and loads data sets. The properties are what it depends on outside the request.</summary>
public sealed record DataSource
{
    /// <summary>The shape of every data set's images.</summary>
    public static Shape ImageShape { get; } = new(28, 28, 1);

    /// <summary>What MNIST consists of.</summary>
    public IReadOnlyList<DataFile> Files { get; init; } = Mnist.Files;

    /// <summary>Where missing files are fetched from.</summary>
    public IReadOnlyList<Uri> Mirrors { get; init; } = Mnist.Mirrors;

    /// <summary>Where data is kept when no folder is named.</summary>
    public string CacheFolder { get; init; } = Mnist.CacheFolder;

    /// <summary>The folder that the environment names; null or empty if none.</summary>
    public string? EnvironmentFolder { get; init; } = Environment.GetEnvironmentVariable("AUTOENCODER_DATA");

    /// <summary>
    /// Loads what was asked for. A folder named by option or environment is read as it is; the cache is completed by download.
    /// Only a request that names neither a data set nor a folder falls back to the synthetic digits, when MNIST is neither in
    /// the cache nor to be fetched; the result says so in <see cref="DataSet.IsFallback"/>.
    /// </summary>
    /// <param name="request">What to load.</param>
    /// <param name="progress">Of downloads.</param>
    /// <param name="warn">Called with one line when falling back.</param>
    /// <param name="cancellation">Stops downloads.</param>
    /// <exception cref="UserError">
    /// <see cref="ExitCode.Data"/>: missing, damaged or not to be fetched. <see cref="ExitCode.Usage"/>: an unknown name, a limit
    /// below 1, a folder for built-in data.
    /// </exception>
    public async Task<DataSet> LoadAsync(
        DataRequest request, IProgress<DownloadProgress>? progress, Action<string> warn, CancellationToken cancellation)
    {
        CheckUsage(request);
        if (request.Name == SyntheticDigits.Name)
            return await GenerateAsync(request);

        string? named = NamedFolder(request.Directory);
        if (named is null)
        {
            try
            {
                await Download.FetchMissingAsync(Files, CacheFolder, Mirrors, progress, cancellation);
            }
            catch (UserError error) when (request.Name is null)
            {
                warn("MNIST is not at hand: using the built-in synthetic digits INSTEAD; "
                    + $"their losses do not compare with MNIST's. Reason: {error.Message}");
                return await GenerateAsync(request) with { IsFallback = true };
            }
        }
        var mnist = await Mnist.LoadAsync(named ?? CacheFolder, Files);
        return mnist with { Train = mnist.Train.Take(request.TrainLimit), Test = mnist.Test.Take(request.TestLimit) };
    }

    /// <summary>Fetches what is missing of MNIST, and verifies all of it.</summary>
    /// <param name="directory">The folder, made if missing; null for the one that the environment names, or the cache.</param>
    /// <param name="progress">Of downloads.</param>
    /// <param name="cancellation">Stops downloads.</param>
    /// <returns>The folder.</returns>
    /// <exception cref="UserError"><see cref="ExitCode.Data"/>: not to be fetched, or damaged.</exception>
    public async Task<string> FetchAsync(
        string? directory, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        string folder = NamedFolder(directory) ?? CacheFolder;
        await Download.FetchMissingAsync(Files, folder, Mirrors, progress, cancellation);
        await Mnist.LoadAsync(folder, Files);
        return folder;
    }

    /// <summary>Every data set: where it is or would be, and what is missing. Nothing is fetched, read or verified.</summary>
    /// <param name="directory"><c>--data</c>, null if not given.</param>
    public IReadOnlyList<DataSetStatus> Describe(string? directory)
    {
        string folder = NamedFolder(directory) ?? CacheFolder;
        return
        [
            new(Mnist.Name, folder,
                [.. Files.Where(IsThere).Select(file => file.Find(folder)!)],
                [.. Files.Where(file => !IsThere(file)).Select(file => file.Name)]),
            new(SyntheticDigits.Name, SyntheticDigits.Origin, [], []),
        ];

        // Pipes and devices are refused when they are read.
        bool IsThere(DataFile file) => file.Find(folder) is { } path && Posix.SpecialKindOf(path) is null;
    }

    private string? NamedFolder(string? directory) =>
        directory ?? (string.IsNullOrEmpty(EnvironmentFolder) ? null : EnvironmentFolder);

    private static void CheckUsage(DataRequest request)
    {
        if (request.Name is not (null or Mnist.Name or SyntheticDigits.Name))
        {
            throw new UserError(ExitCode.Usage,
                $"--dataset {request.Name} is unknown; known are {Mnist.Name} and {SyntheticDigits.Name}");
        }
        if (request.Directory is { } folder && string.IsNullOrWhiteSpace(folder))
            throw new UserError(ExitCode.Usage, $"--data '{folder}' is not a folder's name; it names the folder of the data");
        if (request is { Name: SyntheticDigits.Name, Directory: not null })
            throw new UserError(ExitCode.Usage, $"--dataset {SyntheticDigits.Name} is built in; leave out --data");
        if (request.TrainLimit < 1)
            throw new UserError(ExitCode.Usage, $"--train-limit is {request.TrainLimit}; it must be at least 1");
        if (request.TestLimit < 1)
            throw new UserError(ExitCode.Usage, $"--test-limit is {request.TestLimit}; it must be at least 1");
    }

    private static Task<DataSet> GenerateAsync(DataRequest request) =>
        Task.Run(() => SyntheticDigits.Generate(request.Seed, request.TrainLimit, request.TestLimit));
}
