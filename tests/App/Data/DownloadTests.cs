using AutoencoderGpu.App;
using AutoencoderGpu.App.Data;
using Xunit;

namespace AutoencoderGpu.Tests.App.Data;

public sealed class DownloadTests : IDisposable
{
    private const string Name = "file-idx3-ubyte";

    // Incompressible and larger than a block, so that a broken transfer leaves a part.
    private static readonly byte[] _content = MakeContent(200_000);
    private static readonly byte[] _compressed = Idx.Gzip(_content);
    private static readonly DataFile _entry = Idx.Entry(Name, _content);

    private readonly TemporaryFolder _folder = new();

    private string Target => _folder.File(Name + ".gz");

    private string Part => _folder.File(Name + ".gz.part");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Fetches_a_whole_file_and_reports_its_progress()
    {
        using var mirror = Mirror.Of(Files(_compressed));
        var progress = new Reports();
        await FetchAsync([mirror.Address], progress);

        AssertFetched();
        Assert.Equal([new MirrorRequest(Name + ".gz", null)], mirror.Requests);
        Assert.All(progress.All, report => Assert.Equal((Name + ".gz", _compressed.Length), (report.File, report.Total)));
        Assert.Equal(_compressed.Length, progress.All[^1].Bytes);
        Assert.Equal(progress.All.Select(report => report.Bytes).Order(), progress.All.Select(report => report.Bytes));
    }

    [Fact]
    public async Task Leaves_a_file_alone_that_is_there()
    {
        _folder.Write(Name, _content);
        using var mirror = Mirror.Of(Files(_compressed));
        await FetchAsync([mirror.Address]);
        Assert.Empty(mirror.Requests);
        Assert.False(File.Exists(Target));
    }

    [Fact]
    public async Task Makes_the_folder()
    {
        using var mirror = Mirror.Of(Files(_compressed));
        string folder = Path.Combine(_folder.Path, "a", "b");
        await Download.FetchMissingAsync([_entry], folder, [mirror.Address], null, TestContext.Current.CancellationToken);
        Assert.Equal(_compressed, File.ReadAllBytes(Path.Combine(folder, Name + ".gz")));
    }

    [Fact]
    public async Task Goes_on_where_the_connection_broke_off()
    {
        using var mirror = new Mirror((response, request) => request.From is null
            ? Mirror.BreakOffAsync(response, _compressed, 100_000)
            : Mirror.SendAsync(response, _compressed, request.From));
        var progress = new Reports();
        await FetchAsync([mirror.Address], progress);

        AssertFetched();
        Assert.Equal(2, mirror.Requests.Length);
        Assert.InRange(mirror.Requests[1].From ?? 0, 1, 100_000);
        Assert.All(progress.All, report => Assert.Equal(_compressed.Length, report.Total));
    }

    [Fact]
    public async Task Goes_on_with_the_part_of_an_earlier_run()
    {
        File.WriteAllBytes(Part, _compressed[..70_000]);
        using var mirror = Mirror.Of(Files(_compressed));
        await FetchAsync([mirror.Address]);
        AssertFetched();
        Assert.Equal([new MirrorRequest(Name + ".gz", 70_000)], mirror.Requests);
    }

    [Fact]
    public async Task Goes_on_at_the_second_mirror()
    {
        using var first = new Mirror((response, request) => request.From is null
            ? Mirror.BreakOffAsync(response, _compressed, 100_000)
            : NotFound(response));
        using var second = Mirror.Of(Files(_compressed));
        await FetchAsync([first.Address, second.Address]);
        AssertFetched();
        Assert.InRange(Assert.Single(second.Requests).From ?? 0, 1, 100_000);
    }

    [Theory]
    [InlineData(70_000)]
    [InlineData(1_000_000)]
    public async Task Starts_again_where_the_server_ignores_ranges(int partBytes)
    {
        File.WriteAllBytes(Part, new byte[partBytes]);
        using var mirror = new Mirror((response, _) => Mirror.SendAsync(response, _compressed));
        var progress = new Reports();
        await FetchAsync([mirror.Address], progress);
        AssertFetched();
        Assert.Equal(partBytes, Assert.Single(mirror.Requests).From);
        Assert.All(progress.All, report => Assert.Equal(_compressed.Length, report.Total));
    }

    [Fact]
    public async Task Takes_a_part_that_is_whole()
    {
        File.WriteAllBytes(Part, _compressed);
        using var mirror = Mirror.Of(Files(_compressed));
        await FetchAsync([mirror.Address]);
        AssertFetched();
        Assert.Equal(_compressed.Length, Assert.Single(mirror.Requests).From);
    }

    [Theory]
    [InlineData(70_000)]
    [InlineData(1_000_000)]
    public async Task Throws_away_a_part_of_something_else(int bytes)
    {
        File.WriteAllBytes(Part, new byte[bytes]);
        using var mirror = Mirror.Of(Files(_compressed));
        await FetchAsync([mirror.Address]);
        AssertFetched();
        Assert.Equal([bytes, null], mirror.Requests.Select(request => request.From));
    }

    [Fact]
    public async Task Tries_the_second_mirror_when_the_first_is_dead()
    {
        using var second = Mirror.Of(Files(_compressed));
        await FetchAsync([Mirror.Dead(), second.Address]);
        AssertFetched();
    }

    [Fact]
    public async Task Tries_the_second_mirror_when_the_first_sends_something_else()
    {
        byte[] other = Idx.Gzip(MakeContent(200_001)[1..]);
        using var first = Mirror.Of(Files(other));
        using var second = Mirror.Of(Files(_compressed));
        await FetchAsync([first.Address, second.Address]);
        AssertFetched();
        Assert.Single(first.Requests);
    }

    public static TheoryData<string, byte[]> WrongContents() => new()
    {
        { "one byte differs", Idx.Gzip([.. _content[..^1], (byte)(_content[^1] ^ 1)]) },
        { "one byte more", Idx.Gzip([.. _content, 0]) },
        { "one byte less", Idx.Gzip(_content[..^1]) },
        { "an HTML page", "<html>log in</html>"u8.ToArray() },
        { "half of the gzip stream", _compressed[..100_000] },
        { "much more than the file has", new byte[1_000_000] },
        { "nothing", [] },
    };

    [Theory]
    [MemberData(nameof(WrongContents))]
    public async Task Refuses_and_deletes_wrong_content(string what, byte[] sent)
    {
        using var mirror = Mirror.Of(Files(sent));
        var error = await Assert.ThrowsAsync<UserError>(() => FetchAsync([mirror.Address]));
        AssertDataError(error, mirror.Address, "damaged content, deleted");
        Assert.False(File.Exists(Target), what);
        Assert.False(File.Exists(Part), what);
    }

    [Fact]
    public async Task Says_what_is_wrong_with_each_mirror()
    {
        using var missing = new Mirror((response, _) => NotFound(response));
        var dead = Mirror.Dead();
        var error = await Assert.ThrowsAsync<UserError>(() => FetchAsync([missing.Address, dead]));
        AssertDataError(error, missing.Address, "HTTP status 404");
        AssertDataError(error, dead, "refused");
        Assert.False(File.Exists(Part));
    }

    [Fact]
    public async Task Keeps_what_came_when_every_attempt_breaks_off()
    {
        using var mirror = new Mirror((response, request) => request.From is null
            ? Mirror.BreakOffAsync(response, _compressed, 100_000)
            : NotFound(response));
        var error = await Assert.ThrowsAsync<UserError>(() => FetchAsync([mirror.Address]));
        AssertDataError(error, mirror.Address, "404");
        Assert.InRange(new FileInfo(Part).Length, 1, 100_000);
    }

    [Fact]
    public async Task Stops_when_cancelled_and_keeps_what_came()
    {
        using var stop = new CancellationTokenSource();
        using var release = new SemaphoreSlim(0);
        using var mirror = new Mirror(async (response, _) =>
        {
            response.ContentLength64 = _compressed.Length;
            await response.OutputStream.WriteAsync(_compressed.AsMemory(0, 50_000));
            await response.OutputStream.FlushAsync();
            await release.WaitAsync();
        });
        var progress = new Reports(onReport: stop.Cancel);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Download.FetchMissingAsync([_entry], _folder.Path, [mirror.Address], progress, stop.Token));
        release.Release();
        Assert.InRange(new FileInfo(Part).Length, 1, 50_000);
        Assert.False(File.Exists(Target));
    }

    [Fact]
    public async Task Those_who_fetch_at_once_fetch_once()
    {
        using var mirror = Mirror.Of(Files(_compressed));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => FetchAsync([mirror.Address]))));
        AssertFetched();
        Assert.Single(mirror.Requests);
    }

    [Fact]
    public async Task Says_so_when_the_folder_cannot_be_made()
    {
        string file = _folder.Write("occupied", []);
        var error = await Assert.ThrowsAsync<UserError>(() => Download.FetchMissingAsync(
            [_entry], Path.Combine(file, "folder"), [Mirror.Dead()], null, TestContext.Current.CancellationToken));
        Assert.Equal(ExitCode.Data, error.Code);
        Assert.Contains("cannot be written", error.Message, StringComparison.Ordinal);
    }

    private Task FetchAsync(Uri[] mirrors, IProgress<DownloadProgress>? progress = null) =>
        Download.FetchMissingAsync([_entry], _folder.Path, mirrors, progress, TestContext.Current.CancellationToken);

    private void AssertFetched()
    {
        Assert.Equal(_compressed, File.ReadAllBytes(Target));
        Assert.False(File.Exists(Part));
    }

    private static void AssertDataError(UserError error, Uri mirror, string reason)
    {
        Assert.Equal(ExitCode.Data, error.Code);
        Assert.Contains(Name, error.Message, StringComparison.Ordinal);
        Assert.Contains(mirror.Authority, error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    private static Task NotFound(System.Net.HttpListenerResponse response)
    {
        response.StatusCode = 404;
        return Task.CompletedTask;
    }

    private static Dictionary<string, byte[]> Files(byte[] content) => new() { [Name + ".gz"] = content };

    private static byte[] MakeContent(int bytes)
    {
        byte[] content = new byte[bytes];
        new Random(1).NextBytes(content);
        return content;
    }

    private sealed class Reports(Action? onReport = null) : IProgress<DownloadProgress>
    {
        public List<DownloadProgress> All { get; } = [];

        public void Report(DownloadProgress value)
        {
            All.Add(value);
            onReport?.Invoke();
        }
    }
}
