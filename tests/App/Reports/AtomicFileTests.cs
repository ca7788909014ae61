using AutoencoderGpu.App;
using AutoencoderGpu.App.Reports;
using Xunit;

namespace AutoencoderGpu.Tests.App.Reports;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Writes_a_new_file_and_replaces_an_old_one()
    {
        AtomicFile.WriteText(_folder.File("a.txt"), "first and longer");
        AtomicFile.WriteText(_folder.File("a.txt"), "µs");

        Assert.Equal("µs"u8.ToArray(), File.ReadAllBytes(_folder.File("a.txt")));
        Assert.Equal(["a.txt"], _folder.Names);
    }

    [Fact]
    public void Shows_the_old_content_until_all_is_written()
    {
        AtomicFile.WriteText(_folder.File("a.txt"), "old");

        AtomicFile.Write(_folder.File("a.txt"), stream =>
        {
            stream.Write("new"u8);
            stream.Flush();
            Assert.Equal("old", File.ReadAllText(_folder.File("a.txt")));
        });

        Assert.Equal("new", File.ReadAllText(_folder.File("a.txt")));
    }

    [Fact]
    public void A_failing_writer_leaves_the_old_file_and_nothing_else()
    {
        AtomicFile.WriteText(_folder.File("a.txt"), "old");

        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(_folder.File("a.txt"), stream =>
        {
            stream.Write("half"u8);
            throw new InvalidOperationException();
        }));

        Assert.Equal("old", File.ReadAllText(_folder.File("a.txt")));
        Assert.Equal(["a.txt"], _folder.Names);
    }

    [Fact]
    public void A_full_disk_is_one_line_and_leaves_the_old_file()
    {
        AtomicFile.WriteText(_folder.File("a.txt"), "old");

        UserError error = Assert.Throws<UserError>(
            () => AtomicFile.Write(_folder.File("a.txt"), _ => throw new IOException("No space left on device")));

        Assert.Equal(ExitCode.Failed, error.Code);
        Assert.Equal($"Cannot write {_folder.File("a.txt")}: No space left on device", error.Message);
        Assert.Equal("old", File.ReadAllText(_folder.File("a.txt")));
        Assert.Equal(["a.txt"], _folder.Names);
    }

    [Fact]
    public void A_missing_folder_is_one_line()
    {
        string path = Path.Combine(_folder.File("none"), "a.txt");

        UserError error = Assert.Throws<UserError>(() => AtomicFile.WriteText(path, "x"));

        Assert.Equal($"Cannot write {path}: its folder does not exist.", error.Message);
    }
}
