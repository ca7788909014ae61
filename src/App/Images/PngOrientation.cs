using System.Buffers.Binary;
using SkiaSharp;

namespace AutoencoderGpu.App.Images;

/// <summary>
/// How a PNG file's image is to be turned, which its chunk eXIf says (https://www.w3.org/TR/png-3/#eXIf) as a tag of TIFF and Skia leaves out.
/// </summary>
internal static class PngOrientation
{
    private const int Signature = 8;
    private const int ChunkHead = 8; // length and type
    private const int ChunkTail = 4; // checksum
    private const int EntrySize = 12;
    private const int OrientationTag = 0x0112;

    /// <summary>The orientation; <see cref="SKEncodedOrigin.TopLeft"/> where the file says none.</summary>
    public static SKEncodedOrigin Of(ReadOnlySpan<byte> file)
    {
        for (var at = Signature; at + ChunkHead <= file.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(file[at..]);
            var type = file.Slice(at + 4, 4);
            if (length > file.Length - at - ChunkHead || type.SequenceEqual("IEND"u8))
                break;
            if (type.SequenceEqual("eXIf"u8))
                return OfTiff(file.Slice(at + ChunkHead, (int)length));
            at += ChunkHead + (int)length + ChunkTail;
        }

        return SKEncodedOrigin.TopLeft;
    }

    private static SKEncodedOrigin OfTiff(ReadOnlySpan<byte> tiff)
    {
        var isLittle = tiff.StartsWith("II*\0"u8);
        if (tiff.Length < 8 || !isLittle && !tiff.StartsWith("MM\0*"u8))
            return SKEncodedOrigin.TopLeft;
        var directory = isLittle ? BinaryPrimitives.ReadUInt32LittleEndian(tiff[4..]) : BinaryPrimitives.ReadUInt32BigEndian(tiff[4..]);
        if (directory > tiff.Length - 2)
            return SKEncodedOrigin.TopLeft;
        var entries = tiff[((int)directory + 2)..];
        for (var left = Short(tiff[(int)directory..], isLittle); left > 0 && entries.Length >= EntrySize; left--, entries = entries[EntrySize..])
        {
            if (Short(entries, isLittle) == OrientationTag && Short(entries[8..], isLittle) is >= 1 and <= 8 and var orientation)
                return (SKEncodedOrigin)orientation;
        }

        return SKEncodedOrigin.TopLeft;
    }

    private static int Short(ReadOnlySpan<byte> bytes, bool isLittle) =>
        isLittle ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);
}
