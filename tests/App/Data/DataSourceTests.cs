using AutoencoderGpu.App;
using AutoencoderGpu.App.Data;
using Xunit;

namespace AutoencoderGpu.Tests.App.Data;

public sealed class DataSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _warnings = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Fetches_into_the_cache_when_no_folder_is_named()
    {
        using var mirror = TinyMirror();
        var set = await LoadAsync(Source(mirror.Address), new DataRequest());
        Assert.Equal(("mnist", false, _folder.File("cache")), (set.Name, set.IsFallback, set.Origin));
        Assert.Equal(4, Directory.GetFiles(_folder.File("cache"), "*.gz").Length);
        Assert.Empty(_warnings);

        await LoadAsync(Source(mirror.Address), new DataRequest("mnist"));
        Assert.Equal(4, mirror.Requests.Length);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public async Task Falls_back_loudly_when_nothing_is_named_and_nothing_to_be_had(string? environment)
    {
        var source = Source(Mirror.Dead()) with { EnvironmentFolder = environment };
        var set = await LoadAsync(source, new DataRequest(TrainLimit: 30, TestLimit: 20));
        Assert.Equal(("synthetic", true, 30, 20), (set.Name, set.IsFallback, set.Train.Count, set.Test.Count));
        string warning = Assert.Single(_warnings);
        Assert.Contains("INSTEAD", warning, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', warning);
    }

    [Fact]
    public async Task Never_falls_back_when_MNIST_is_named()
    {
        await AssertDataErrorAsync(Source(Mirror.Dead()), new DataRequest("mnist"));
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(null, false)]
    [InlineData("mnist", true)]
    [InlineData("mnist", false)]
    public async Task Never_fetches_nor_falls_back_when_a_folder_is_named(string? name, bool byEnvironment)
    {
        using var mirror = TinyMirror();
        string named = Directory.CreateDirectory(_folder.File("named")).FullName;
        var source = Source(mirror.Address) with { EnvironmentFolder = byEnvironment ? named : null };
        await AssertDataErrorAsync(source, new DataRequest(name, byEnvironment ? null : named));
        Assert.Empty(mirror.Requests);
        Assert.Empty(Directory.GetFileSystemEntries(named));
    }

    [Fact]
    public async Task Never_falls_back_when_the_cache_is_damaged()
    {
        using var mirror = TinyMirror();
        var source = Source(mirror.Address);
        await source.FetchAsync(null, null, TestContext.Current.CancellationToken);
        File.WriteAllBytes(Path.Combine(source.CacheFolder, "t10k-labels-idx1-ubyte.gz"), Idx.Labels(5, 5));
        await AssertDataErrorAsync(source, new DataRequest());
        var error = await Assert.ThrowsAsync<UserError>(
            () => source.FetchAsync(null, null, TestContext.Current.CancellationToken));
        Assert.Equal(ExitCode.Data, error.Code);
    }

    [Fact]
    public async Task The_option_goes_before_the_environment()
    {
        using var mirror = TinyMirror();
        string named = _folder.File("named");
        var source = Source(mirror.Address) with { EnvironmentFolder = _folder.File("none") };
        Assert.Equal(named, await source.FetchAsync(named, null, TestContext.Current.CancellationToken));
        var set = await LoadAsync(source, new DataRequest(Directory: named, TrainLimit: 1, TestLimit: 5));
        Assert.Equal((named, 1, 2), (set.Origin, set.Train.Count, set.Test.Count));
        Assert.False(Directory.Exists(_folder.File("none")));
    }

    [Fact]
    public async Task Synthetic_by_name_is_no_fallback_and_fetches_nothing()
    {
        using var mirror = TinyMirror();
        var set = await LoadAsync(Source(mirror.Address) with { EnvironmentFolder = _folder.Path },
            new DataRequest("synthetic", TrainLimit: 3, TestLimit: 2));
        Assert.Equal(("synthetic", false, 3, 2), (set.Name, set.IsFallback, set.Train.Count, set.Test.Count));
        Assert.Empty(mirror.Requests);
        Assert.Empty(_warnings);
    }

    public static TheoryData<DataRequest, string> WrongRequests() => new()
    {
        { new DataRequest("emnist"), "known are mnist and synthetic" },
        { new DataRequest(""), "unknown" },
        { new DataRequest("synthetic", Directory: "folder"), "--data" },
        { new DataRequest(TrainLimit: 0), "--train-limit is 0" },
        { new DataRequest("synthetic", TestLimit: -1), "--test-limit is -1" },
    };

    [Theory]
    [MemberData(nameof(WrongRequests))]
    public async Task Refuses_wrong_usage(DataRequest request, string message)
    {
        var error = await Assert.ThrowsAsync<UserError>(() => LoadAsync(Source(Mirror.Dead()), request));
        Assert.Equal(ExitCode.Usage, error.Code);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Describes_what_is_there_and_what_is_missing()
    {
        using var mirror = TinyMirror();
        var source = Source(mirror.Address);
        var before = source.Describe(null);
        Assert.Equal(["mnist", "synthetic"], before.Select(status => status.Name));
        Assert.Equal((source.CacheFolder, 0, 4), (before[0].Origin, before[0].Present.Count, before[0].Missing.Count));

        await source.FetchAsync(null, null, TestContext.Current.CancellationToken);
        File.Delete(Path.Combine(source.CacheFolder, "train-labels-idx1-ubyte.gz"));
        var after = source.Describe(null)[0];
        Assert.Equal(["train-labels-idx1-ubyte"], after.Missing);
        Assert.Equal(3, after.Present.Count);
        Assert.Equal(_folder.Path, source.Describe(_folder.Path)[0].Origin);
    }

    [Fact]
    public async Task Stopping_a_download_is_no_reason_to_fall_back()
    {
        using var mirror = TinyMirror();
        using var stopped = new CancellationTokenSource();
        await stopped.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Source(mirror.Address).LoadAsync(new DataRequest(), null, _warnings.Add, stopped.Token));
        Assert.Empty(_warnings);
    }

    private DataSource Source(Uri mirror) => new()
    {
        Files = Idx.TinyTable(),
        Mirrors = [mirror],
        CacheFolder = _folder.File("cache"),
        EnvironmentFolder = null,
    };

    private static Mirror TinyMirror() => Mirror.Of(Mnist.Files.Zip(Idx.TinySet()).ToDictionary(
        pair => pair.First.Name + ".gz", pair => Idx.Gzip(pair.Second)));

    private Task<DataSet> LoadAsync(DataSource source, DataRequest request) =>
        source.LoadAsync(request, null, _warnings.Add, TestContext.Current.CancellationToken);

    private async Task AssertDataErrorAsync(DataSource source, DataRequest request)
    {
        var error = await Assert.ThrowsAsync<UserError>(() => LoadAsync(source, request));
        Assert.Equal(ExitCode.Data, error.Code);
        Assert.Empty(_warnings);
    }
}
