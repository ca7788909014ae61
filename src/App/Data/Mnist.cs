using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Data;

/// <summary>MNIST: what its files are, where they are kept and fetched from, how they are read and verified.</summary>
public static class Mnist
{
    /// <summary>As in <c>--dataset</c>.</summary>
    public const string Name = "mnist";

    /// <summary>Training images, training labels, test images, test labels.</summary>
    public static IReadOnlyList<DataFile> Files { get; } =
    [
        new("train-images-idx3-ubyte", 47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        new("train-labels-idx1-ubyte", 60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        new("t10k-images-idx3-ubyte", 7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        new("t10k-labels-idx1-ubyte", 10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ];

    /// <summary>Public folders that hold the files with <c>.gz</c> appended.</summary>
    public static IReadOnlyList<Uri> Mirrors { get; } =
    [
        new("https://ossci-datasets.s3.amazonaws.com/mnist/"),
        new("https://storage.googleapis.com/cvdf-datasets/mnist/"),
    ];

    /// <summary>The user's cache folder for MNIST; it need not exist.</summary>
    public static string CacheFolder => Path.Combine(UserCache(), "autoencoder-gpu", Name);

    /// <summary>Reads and verifies MNIST.</summary>
    /// <param name="folder">Holds the files, gzip-compressed or not.</param>
    /// <param name="files">In the order of <see cref="Files"/>.</param>
    /// <exception cref="UserError"><see cref="ExitCode.Data"/>: a file is missing, damaged or another one.</exception>
    public static async Task<DataSet> LoadAsync(string folder, IReadOnlyList<DataFile> files)
    {
        string[] missing = [.. files.Where(file => file.Find(folder) is null).Select(file => file.Name)];
        if (missing.Length > 0)
        {
            throw new UserError(ExitCode.Data, $"{folder} lacks {string.Join(", ", missing)}; "
                + $"fetch what is missing (autoencoder data --fetch --data \"{folder}\") or name another folder with --data");
        }

        // The large training images first: their decompression sets the time of the whole.
        var trainImages = Task.Run(() => Verified(folder, files[0], IdxFile.ReadImages));
        var testImages = Task.Run(() => Verified(folder, files[2], IdxFile.ReadImages));
        var trainLabels = Task.Run(() => Verified(folder, files[1], IdxFile.ReadLabels));
        var testLabels = Task.Run(() => Verified(folder, files[3], IdxFile.ReadLabels));
        await Task.WhenAll(trainImages, testImages, trainLabels, testLabels);
        return new DataSet(Name, folder,
            IdxFile.Join(await trainImages, await trainLabels),
            IdxFile.Join(await testImages, await testLabels))
        {
            Normalisation = Normalisation.Mnist,
        };
    }

    private static IdxContent Verified(string folder, DataFile file, Func<string, IdxContent> read)
    {
        string path = file.Find(folder) ?? throw new UserError(ExitCode.Data, $"{folder} lost {file.Name}; try again");
        var content = read(path);
        return content.Sha256 == file.Sha256
            ? content
            : throw IdxFile.Damaged(path, $"its content is not MNIST's {file.Name} (SHA-256 {content.Sha256})");
    }

    private static string UserCache()
    {
        if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { } cache && Path.IsPathFullyQualified(cache))
            return cache;
        if (OperatingSystem.IsWindows())
            return Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        // One that is not there cannot be written into, which is said then; else the name would be empty, and mean the current folder.
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        return OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Caches") : Path.Combine(home, ".cache");
    }
}
