using System.Buffers.Binary;
using Google.Protobuf;
using Xunit;

namespace AutoencoderGpu.Tests.App.Reports;

/// <summary>Reads TensorBoard's logs as TensorBoard does: record by record with their checksums, and messages field by field.</summary>
internal static class EventFile
{
    /// <summary>When each record was made, in seconds since 1970.</summary>
    public static IReadOnlyList<double> WallTimes(string path)
    {
        var times = new List<double>();
        _ = Scalars(path, times);
        return times;
    }

    public static IReadOnlyList<(string Tag, long Step, float Value)> Scalars(string path, List<double>? times = null)
    {
        var bytes = File.ReadAllBytes(path).AsSpan();
        var scalars = new List<(string, long, float)>();
        var isFirst = true;
        while (bytes.Length > 0)
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            Assert.Equal(Masked(bytes[..8]), BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]));
            var data = bytes.Slice(12, length).ToArray();
            Assert.Equal(Masked(data), BinaryPrimitives.ReadUInt32LittleEndian(bytes[(12 + length)..]));
            bytes = bytes[(16 + length)..];

            var fields = Fields(data);
            var time = BitConverter.Int64BitsToDouble((long)fields.Single(field => field.Number == 1).Value);
            Assert.InRange(time, 1.7e9, 1e10);
            times?.Add(time);
            if (isFirst)
                Assert.Equal("brain.Event:2", ((ByteString)fields.Single(field => field.Number == 3).Value).ToStringUtf8());
            isFirst = false;
            foreach (var summary in fields.Where(field => field.Number == 5))
            {
                foreach (var value in Fields(((ByteString)summary.Value).ToByteArray()))
                {
                    Assert.Equal(1, value.Number);
                    var scalar = Fields(((ByteString)value.Value).ToByteArray()).ToDictionary(field => field.Number, field => field.Value);
                    scalars.Add((((ByteString)scalar[1]).ToStringUtf8(), (long)fields.Single(field => field.Number == 2).Value, BitConverter.Int32BitsToSingle((int)scalar[2])));
                }
            }
        }

        return scalars;
    }

    /// <summary>CRC-32C bit by bit (RFC 3720, appendix B.4), masked as records mask it.</summary>
    private static uint Masked(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ (0x82F63B78 & (uint)-(int)(crc & 1));
        }

        crc = ~crc;
        return ((crc >> 15) | (crc << 17)) + 0xA282EAD8;
    }

    private static List<(int Number, object Value)> Fields(byte[] message)
    {
        using var input = new CodedInputStream(message);
        var fields = new List<(int, object)>();
        while (input.ReadTag() is var tag and not 0)
        {
            fields.Add((WireFormat.GetTagFieldNumber(tag), WireFormat.GetTagWireType(tag) switch
            {
                WireFormat.WireType.Varint => input.ReadInt64(),
                WireFormat.WireType.Fixed64 => input.ReadSFixed64(),
                WireFormat.WireType.Fixed32 => input.ReadSFixed32(),
                _ => (object)input.ReadBytes(),
            }));
        }

        return fields;
    }
}
