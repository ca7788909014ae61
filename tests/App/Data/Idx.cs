using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using AutoencoderGpu.App.Data;

namespace AutoencoderGpu.Tests.App.Data;

/// <summary>Makes IDX files and small data sets in MNIST's form.</summary>
internal static class Idx
{
    /// <summary>An IDX file: magic number, dimensions, values.</summary>
    public static byte[] Bytes(uint magic, uint[] dimensions, byte[] values)
    {
        byte[] header = new byte[4 + 4 * dimensions.Length];
        BinaryPrimitives.WriteUInt32BigEndian(header, magic);
        for (int i = 0; i < dimensions.Length; i++)
            BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4 + 4 * i), dimensions[i]);
        return [.. header, .. values];
    }

    /// <summary>Two images of 2×3 pixels, values 0 to 11.</summary>
    public static byte[] Images() => Bytes(0x803, [2, 2, 3], [.. Enumerable.Range(0, 12).Select(i => (byte)i)]);

    public static byte[] Labels(params byte[] labels) => Bytes(0x801, [(uint)labels.Length], labels);

    public static byte[] Gzip(byte[] content)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Optimal))
            gzip.Write(content);
        return output.ToArray();
    }

    /// <summary>A file's entry in the table of a data set.</summary>
    public static DataFile Entry(string name, byte[] content) =>
        new(name, content.Length, Convert.ToHexStringLower(SHA256.HashData(content)));

    /// <summary>The contents of a tiny data set's four files, in the order of <see cref="Mnist.Files"/>.</summary>
    public static byte[][] TinySet() => [Images(), Labels(7, 9), Images(), Labels(0, 1)];

    /// <summary>The table of <see cref="TinySet"/>, under MNIST's file names.</summary>
    public static DataFile[] TinyTable() => [.. Mnist.Files.Zip(TinySet(), (file, content) => Entry(file.Name, content))];
}
