using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Data;

/// <summary>Content of an IDX file of unsigned bytes.</summary>
/// <param name="Path">The file.</param>
/// <param name="Dimensions">(Count) of labels, (Count, Height, Width) of images; every one at least 1.</param>
/// <param name="Values">As many bytes as the dimensions' product, row-major.</param>
/// <param name="Sha256">Of the decompressed file, header included: 64 lower-case hexadecimal digits.</param>
public sealed record IdxContent(string Path, int[] Dimensions, byte[] Values, string Sha256);

/// <summary>
/// Reads IDX files, gzip-compressed or not: a big-endian magic number, a big-endian 32-bit size a dimension, the values.
/// Format: http://yann.lecun.com/exdb/mnist. Every failure is a <see cref="UserError"/> with
/// <see cref="ExitCode.Data"/>, and lack of memory one with <see cref="ExitCode.NoAccelerator"/>.
/// </summary>
public static class IdxFile
{
    private const uint ImagesMagic = 0x803;
    private const uint LabelsMagic = 0x801;

    // Headers are believed up to here; MNIST's largest file has 47 MB.
    private const long MaximumBytes = 256L << 20;

    // Deflate spends at least 2 bits on 258 bytes, so a gzip file bounds what it can hold before anything is unpacked.
    private const long MaximumCompressionRatio = 1032;

    /// <summary>Reads grey images.</summary>
    /// <param name="path">An IDX file with magic number 0x803.</param>
    public static IdxContent ReadImages(string path) => Read(path, ImagesMagic, rank: 3);

    /// <summary>Reads labels, each from 0 to 9.</summary>
    /// <param name="path">An IDX file with magic number 0x801.</param>
    public static IdxContent ReadLabels(string path)
    {
        var labels = Read(path, LabelsMagic, rank: 1);
        int wrong = labels.Values.AsSpan().IndexOfAnyExceptInRange((byte)0, (byte)9);
        return wrong < 0 ? labels : throw Damaged(path, $"label {wrong} is {labels.Values[wrong]}, not 0 to 9");
    }

    /// <summary>Joins images with their labels; their counts must agree.</summary>
    public static ImageSet Join(IdxContent images, IdxContent labels)
    {
        if (images.Dimensions[0] != labels.Dimensions[0])
            throw Damaged(images.Path, $"it holds {images.Dimensions[0]} images, {labels.Path} {labels.Dimensions[0]} labels");
        return new ImageSet(images.Values, labels.Values, images.Dimensions[1], images.Dimensions[2]);
    }

    /// <summary>Opens a file's decompressed content. Gzip is told by the first two bytes, whatever the name.</summary>
    internal static Stream OpenContent(string path)
    {
        var file = InputFile.Open(path, MaximumBytes);
        bool compressed = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b;
        file.Position = 0;
        return compressed ? new GZipStream(file, CompressionMode.Decompress) : file;
    }

    /// <summary>What is wrong with a data file, and what to do about it.</summary>
    internal static UserError Damaged(string path, string what, Exception? inner = null) =>
        new(ExitCode.Data, $"{path} is damaged: {what}; move it away and fetch it again (autoencoder data --fetch), "
            + "or name another folder with --data", inner);

    private static byte[] Allocated(string path, int size)
    {
        try
        {
            return GC.AllocateUninitializedArray<byte>(size);
        }
        catch (OutOfMemoryException error)
        {
            throw new UserError(
                ExitCode.NoAccelerator,
                $"{path} holds {size / 1e6:0.0} MB, more than is left of the {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e6:0.0} MB that .NET may use; give the program more memory",
                error);
        }
    }

    private static IdxContent Read(string path, uint magic, int rank)
    {
        try
        {
            using var content = Opened(path);
            return Read(path, content, magic, rank);
        }
        catch (InvalidDataException error)
        {
            throw Damaged(path, "its gzip stream is broken", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UserError(ExitCode.Data, $"{path} cannot be read: {error.Message}; check --data", error);
        }
    }

    /// <summary>What a gzip file ends with: the length of its content, modulo 2³².</summary>
    private static uint LengthAtEnd(Stream file)
    {
        Span<byte> length = stackalloc byte[4];
        file.Seek(-length.Length, SeekOrigin.End);
        file.ReadExactly(length);
        return BinaryPrimitives.ReadUInt32LittleEndian(length);
    }

    private static Stream Opened(string path)
    {
        try
        {
            return OpenContent(path);
        }
        catch (InvalidDataException error)
        {
            throw new UserError(ExitCode.Data, $"{path} cannot be read: {error.Message}; check --data", error);
        }
    }

    private static IdxContent Read(string path, Stream content, uint magic, int rank)
    {
        byte[] header = new byte[4 + 4 * rank];
        if (content.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length)
            throw Damaged(path, $"it ends inside its header of {header.Length} bytes");
        uint actualMagic = BinaryPrimitives.ReadUInt32BigEndian(header);
        if (actualMagic != magic)
            throw Damaged(path, $"its magic number is 0x{actualMagic:x}, not 0x{magic:x}");

        int[] dimensions = new int[rank];
        long size = 1;
        for (int i = 0; i < rank; i++)
        {
            uint dimension = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4 + 4 * i));
            size *= dimension;
            // Checked at every step: the bound keeps the product within 64 bits.
            if (size is 0 or > MaximumBytes)
                throw Damaged(path, $"dimension {i} of its header is {dimension}");
            dimensions[i] = (int)dimension;
        }

        long room = content is GZipStream gzip ? gzip.BaseStream.Length * MaximumCompressionRatio : content.Length - header.Length;
        if (size > room)
            throw Damaged(path, $"it is too short for the {size} bytes that its header declares");
        byte[] values = Allocated(path, (int)size);
        int read = content.ReadAtLeast(values, values.Length, throwOnEndOfStream: false);
        if (read < size)
            throw Damaged(path, $"it ends after {read} of the {size} bytes that its header declares");
        if (content.ReadByte() >= 0)
            throw Damaged(path, $"it goes on after the {size} bytes that its header declares");
        // .NET takes a stream whose checksum is cut off for whole.
        if (content is GZipStream { BaseStream: var file } && LengthAtEnd(file) != (uint)(header.Length + size))
            throw Damaged(path, "its gzip stream is cut off");

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(header);
        hash.AppendData(values);
        return new IdxContent(path, dimensions, values, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}
