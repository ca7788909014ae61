using AutoencoderGpu.App;
using AutoencoderGpu.App.Data;
using AutoencoderGpu.Models;
using Xunit;

namespace AutoencoderGpu.Tests.App.Data;

public sealed class MnistTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("{0}-idx{1}-ubyte", false)]
    [InlineData("{0}-idx{1}-ubyte.gz", true)]
    [InlineData("{0}.idx{1}-ubyte", false)]
    [InlineData("{0}.idx{1}-ubyte.gz", true)]
    public async Task Finds_files_under_each_of_their_names(string pattern, bool compressed)
    {
        byte[][] contents = [.. Idx.TinySet().Select(content => compressed ? Idx.Gzip(content) : content)];
        (string Stem, int Rank)[] stems = [("train-images", 3), ("train-labels", 1), ("t10k-images", 3), ("t10k-labels", 1)];
        for (int i = 0; i < 4; i++)
            _folder.Write(string.Format(null, pattern, stems[i].Stem, stems[i].Rank), contents[i]);

        var set = await Mnist.LoadAsync(_folder.Path, Idx.TinyTable());

        Assert.Equal("mnist", set.Name);
        Assert.Equal(_folder.Path, set.Origin);
        Assert.Equal([7, 9], set.Train.Labels);
        Assert.Equal([0, 1], set.Test.Labels);
    }

    [Fact]
    public async Task Names_what_is_missing()
    {
        WriteTinySet();
        File.Delete(_folder.File("t10k-labels-idx1-ubyte"));
        var error = await Assert.ThrowsAsync<UserError>(() => Mnist.LoadAsync(_folder.Path, Idx.TinyTable()));
        Assert.Equal(ExitCode.Data, error.Code);
        Assert.Contains("lacks t10k-labels-idx1-ubyte;", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Refuses_a_well_formed_file_with_another_content(int file)
    {
        WriteTinySet();
        byte[] other = Idx.TinySet()[file];
        other[^1] ^= 1;
        string path = _folder.Write(Mnist.Files[file].Name, other);
        var error = await Assert.ThrowsAsync<UserError>(() => Mnist.LoadAsync(_folder.Path, Idx.TinyTable()));
        Assert.Equal(ExitCode.Data, error.Code);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains("SHA-256", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_real_one_has_the_known_counts_and_loss_floors()
    {
        string? folder = Environment.GetEnvironmentVariable("AUTOENCODER_DATA");
        Assert.SkipWhen(string.IsNullOrEmpty(folder), "AUTOENCODER_DATA names no folder with MNIST.");

        var set = await Mnist.LoadAsync(folder, Mnist.Files);

        Assert.Equal((60_000, 28, 28), (set.Train.Count, set.Train.Height, set.Train.Width));
        Assert.Equal((10_000, 28, 28), (set.Test.Count, set.Test.Height, set.Test.Width));
        Assert.Equal([5, 0, 4, 1, 9], set.Train.Labels[..5]);
        Assert.Equal(0.462943, LossFloor.Of(set.Train, Network.FullyConnected), 5e-7);
        Assert.Equal(0.469391, LossFloor.Of(set.Test, Network.FullyConnected), 5e-7);
    }

    [Fact]
    public void The_cache_is_a_folder_of_its_own()
    {
        Assert.True(Path.IsPathFullyQualified(Mnist.CacheFolder), Mnist.CacheFolder);
        Assert.EndsWith(Path.Combine("autoencoder-gpu", "mnist"), Mnist.CacheFolder, StringComparison.Ordinal);
    }

    private void WriteTinySet()
    {
        foreach (var (file, content) in Mnist.Files.Zip(Idx.TinySet()))
            _folder.Write(file.Name, content);
    }
}
