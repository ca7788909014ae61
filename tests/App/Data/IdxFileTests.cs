using System.IO.Compression;
using AutoencoderGpu.App;
using AutoencoderGpu.App.Data;
using Xunit;

namespace AutoencoderGpu.Tests.App.Data;

public sealed class IdxFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Reads_images_and_labels_whatever_the_name(bool compressed)
    {
        string images = _folder.Write(compressed ? "images" : "images.gz", compressed ? Idx.Gzip(Idx.Images()) : Idx.Images());
        string labels = _folder.Write("labels", compressed ? Idx.Gzip(Idx.Labels(7, 9)) : Idx.Labels(7, 9));

        var content = IdxFile.ReadImages(images);
        var set = IdxFile.Join(content, IdxFile.ReadLabels(labels));

        Assert.Equal((2, 2, 3), (set.Count, set.Height, set.Width));
        Assert.Equal(Enumerable.Range(0, 12).Select(i => (byte)i), set.Pixels);
        Assert.Equal([7, 9], set.Labels);
        Assert.Equal(Idx.Entry("", Idx.Images()).Sha256, content.Sha256);
    }

    public static TheoryData<string, byte[], string> DamagedImages() => new()
    {
        { "empty", [], "ends inside its header" },
        { "half a header", Idx.Images()[..9], "ends inside its header" },
        { "header only", Idx.Images()[..16], "too short" },
        { "truncated", Idx.Images()[..^1], "too short" },
        { "trailing byte", [.. Idx.Images(), 0], "goes on after" },
        { "magic number of labels", Idx.Bytes(0x801, [2, 2, 3], new byte[12]), "magic number is 0x801" },
        { "magic number of floats", Idx.Bytes(0xd03, [2, 2, 3], new byte[12]), "magic number is 0xd03" },
        { "little-endian magic number", Idx.Bytes(0x03080000, [2, 2, 3], new byte[12]), "magic number" },
        { "no images", Idx.Bytes(0x803, [0, 2, 3], []), "dimension 0 of its header is 0" },
        { "no rows", Idx.Bytes(0x803, [2, 0, 3], new byte[12]), "dimension 1 of its header is 0" },
        { "no columns", Idx.Bytes(0x803, [2, 2, 0], new byte[12]), "dimension 2 of its header is 0" },
        { "too few images declared", Idx.Bytes(0x803, [1, 2, 3], new byte[12]), "goes on after" },
        { "too many images declared", Idx.Bytes(0x803, [3, 2, 3], new byte[12]), "too short" },
        { "negative count", Idx.Bytes(0x803, [0xffffffff, 2, 3], new byte[12]), "dimension 0" },
        { "product over 64 bits", Idx.Bytes(0x803, [0x10000000, 0xffffffff, 0xffffffff], new byte[12]), "dimension 1" },
        { "product that wraps to 12", Idx.Bytes(0x803, [2, 0x80000003, 2], new byte[12]), "dimension 1" },
        { "large but allowed", Idx.Bytes(0x803, [300_000, 28, 28], new byte[12]), "too short" },
        { "gzip, empty content", Idx.Gzip([]), "ends inside its header" },
        { "gzip, truncated content", Idx.Gzip(Idx.Images()[..^1]), "ends after 11 of the 12 bytes" },
        { "gzip, trailing byte", Idx.Gzip([.. Idx.Images(), 0]), "goes on after" },
        { "gzip, more than it can hold", Idx.Gzip(Idx.Bytes(0x803, [300_000, 28, 28], new byte[12])), "too short" },
        { "gzip, header only", Idx.Gzip(Idx.Images())[..10], "ends inside its header" },
        { "gzip, half", Idx.Gzip(Idx.Images())[..^14], "of the 12 bytes" },
        { "gzip, wrong checksum", [.. Idx.Gzip(Idx.Images())[..^8], .. new byte[8]], "its gzip stream is broken" },
        { "gzip, no such method", [0x1f, 0x8b, 7, .. Idx.Gzip(Idx.Images())[3..]], "its gzip stream is broken" },
    };

    [Theory]
    [MemberData(nameof(DamagedImages))]
    public void Refuses_damaged_images(string what, byte[] content, string message)
    {
        string path = _folder.Write(what.Replace(' ', '-'), content);
        AssertDataError(() => IdxFile.ReadImages(path), path, message);
    }

    [Fact]
    public void No_flipped_bit_of_a_gzip_stream_changes_the_content_unnoticed()
    {
        const int gzipHeader = 10;
        byte[] whole = Idx.Gzip(Idx.Images());
        int accepted = 0;
        for (int i = 0; i < whole.Length; i++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                byte[] flipped = [.. whole];
                flipped[i] ^= (byte)(1 << bit);
                if (IsReadUnchanged(flipped) && i >= gzipHeader)
                    accepted++;
            }
        }
        // Only what pads the compressed data to a byte means nothing.
        Assert.InRange(accepted, 0, 7);
    }

    [Fact]
    public void No_cut_of_a_gzip_stream_changes_the_content_unnoticed()
    {
        byte[] whole = Idx.Gzip(Idx.Images());
        int accepted = Enumerable.Range(0, whole.Length).Count(length => IsReadUnchanged(whole[..length]));
        // Nothing but the checksum and length at the end, and the mark before them, can go without loss.
        Assert.InRange(accepted, 0, 10);
    }

    [Fact]
    public void Stops_after_what_the_header_declares_of_a_gzip_bomb()
    {
        string path = _folder.File("bomb");
        using (var gzip = new GZipStream(File.Create(path), CompressionLevel.Fastest))
        {
            gzip.Write(Idx.Images());
            byte[] block = new byte[1 << 20];
            for (int i = 0; i < 64; i++)
                gzip.Write(block);
        }
        long before = GC.GetAllocatedBytesForCurrentThread();
        AssertDataError(() => IdxFile.ReadImages(path), path, "goes on after");
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20, "allocated more than a megabyte");
    }

    [Fact]
    public void Allocates_nothing_large_for_a_hostile_header()
    {
        string path = _folder.Write("hostile", Idx.Gzip(Idx.Bytes(0x803, [340_000, 28, 28], new byte[100])));
        long before = GC.GetAllocatedBytesForCurrentThread();
        AssertDataError(() => IdxFile.ReadImages(path), path, "too short");
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20, "allocated more than a megabyte");
    }

    [Theory]
    [InlineData(10)]
    [InlineData(255)]
    public void Refuses_labels_out_of_range(byte label)
    {
        string path = _folder.Write("labels", Idx.Labels(0, 9, label));
        AssertDataError(() => IdxFile.ReadLabels(path), path, $"label 2 is {label}");
    }

    [Fact]
    public void Refuses_images_for_labels()
    {
        string path = _folder.Write("images", Idx.Images());
        AssertDataError(() => IdxFile.ReadLabels(path), path, "magic number is 0x803");
    }

    [Fact]
    public void Refuses_counts_that_disagree()
    {
        string images = _folder.Write("images", Idx.Images());
        string labels = _folder.Write("labels", Idx.Labels(1, 2, 3));
        AssertDataError(() => IdxFile.Join(IdxFile.ReadImages(images), IdxFile.ReadLabels(labels)), images, "2 images");
    }

    [Fact]
    public void Refuses_a_folder_and_a_missing_file()
    {
        AssertDataError(() => IdxFile.ReadImages(_folder.Path), _folder.Path, "cannot be read");
        AssertDataError(() => IdxFile.ReadImages(_folder.File("none")), _folder.File("none"), "cannot be read");
    }

    /// <summary>False if the file is refused.</summary>
    private bool IsReadUnchanged(byte[] file)
    {
        try
        {
            var content = IdxFile.ReadImages(_folder.Write("changed", file));
            Assert.Equal(Idx.Entry("", Idx.Images()).Sha256, content.Sha256);
            return true;
        }
        catch (UserError error)
        {
            Assert.Equal(ExitCode.Data, error.Code);
            return false;
        }
    }

    private static void AssertDataError(Action read, string path, string message)
    {
        var error = Assert.Throws<UserError>(read);
        Assert.Equal(ExitCode.Data, error.Code);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        // The path must not pass for the message.
        Assert.Contains(message, error.Message.Replace(path, "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
