using System.Buffers.Binary;
using System.Text;
using AutoencoderGpu.Models;
using Xunit;

namespace AutoencoderGpu.Tests.Models;

public sealed class SafetensorsTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    /// <summary>What is wrong, the header, bytes of values.</summary>
    public static TheoryData<string, string, int> Damaged => new()
    {
        { "not JSON", "hello", 0 },
        { "empty header", "", 0 },
        { "truncated JSON", """{"a":{"dtype":"F32","shape":[1]""", 4 },
        { "an array", "[1,2]", 0 },
        { "a null tensor", """{"a":null}""", 0 },
        { "a number as tensor", """{"a":5}""", 0 },
        { "no shape", """{"a":{"dtype":"F32","data_offsets":[0,4]}}""", 4 },
        { "no type", """{"a":{"shape":[1],"data_offsets":[0,4]}}""", 4 },
        { "no offsets", """{"a":{"dtype":"F32","shape":[1]}}""", 4 },
        { "negative shape", Tensor("a", "F32", "-1", "0,4"), 4 },
        { "two negative sizes", Tensor("a", "F32", "-1,-1", "0,4"), 4 },
        { "negative size times zero", Tensor("a", "F32", "-1,0", "0,0"), 4 },
        { "fractional shape", Tensor("a", "F32", "0.5", "0,4"), 4 },
        { "text as shape", Tensor("a", "F32", "\"1\"", "0,4"), 4 },
        { "huge size", Tensor("a", "F32", "99999999999999999999", "0,4"), 4 },
        { "product beyond 64 bits", Tensor("a", "F32", "2147483647,2147483647,2147483647", "0,4"), 4 },
        { "product that wraps to zero in 128 bits", Tensor("a", "F32", "1073741824,1073741824,1073741824,1073741824,256", "0,0"), 4 },
        { "product that wraps to zero in 64 bits", Tensor("a", "F32", "1073741824,1073741824,16", "0,0"), 4 },
        { "too many dimensions", Tensor("a", "F32", "1,1,1,1,1,1,1,1,1", "0,4"), 4 },
        { "shape smaller than its bytes", Tensor("a", "F32", "1", "0,8"), 8 },
        { "half as many bytes", Tensor("a", "F32", "2", "0,4"), 4 },
        { "offsets beyond the file", Tensor("a", "F32", "2", "0,8"), 4 },
        { "huge offsets", Tensor("a", "F32", "1", "9223372036854775803,9223372036854775807"), 4 },
        { "negative offset", Tensor("a", "F32", "2", "-4,4"), 8 },
        { "offsets reversed", Tensor("a", "F32", "1", "4,0"), 4 },
        { "one offset", Tensor("a", "F32", "1", "0"), 4 },
        { "fractional offset", Tensor("a", "F32", "1", "0,4.5"), 8 },
        { "integers", Tensor("a", "I64", "1", "0,8"), 8 },
        { "a number as type", """{"a":{"dtype":1,"shape":[1],"data_offsets":[0,4]}}""", 4 },
        { "overlapping", Two("a", "0,4", "b", "2,6"), 8 },
        { "same bytes twice", Two("a", "0,4", "b", "0,4"), 4 },
        { "duplicate names", Two("a", "0,4", "a", "4,8"), 8 },
        { "a name of several lines", Tensor("a\\nb\\r\\nc", "I8", "1", "0,4"), 4 },
        { "a name of a lone surrogate", Tensor("\\ud800", "F32", "1", "0,4"), 4 },
        { "text as metadata", """{"__metadata__":"x"}""", 0 },
        { "deep JSON", string.Concat(Enumerable.Repeat("{\"a\":", 5000)), 0 },
        { "deep metadata", """{"__metadata__":{"a":""" + new string('[', 5000) + new string(']', 5000) + "}}", 0 },
    };

    [Theory]
    [MemberData(nameof(Damaged))]
    public void A_damaged_header_is_an_error_of_one_line(string what, string header, int bytes)
    {
        Assert.NotEmpty(what);
        Write((ulong)Encoding.UTF8.GetByteCount(header), Encoding.UTF8.GetBytes(header), new byte[bytes]);
        ExpectFailure();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(60)]
    [InlineData(-1)]
    public void A_truncated_file_is_an_error(int length)
    {
        Save([("a", new([2, 3], [1, 2, 3, 4, 5, 6]))]);
        var whole = File.ReadAllBytes(_path);
        File.WriteAllBytes(_path, whole[..(length < 0 ? whole.Length + length : length)]);
        ExpectFailure();
    }

    [Theory]
    [InlineData(1UL << 20)]
    [InlineData(1UL << 40)]
    [InlineData(ulong.MaxValue)]
    [InlineData((ulong)long.MaxValue)]
    [InlineData(long.MaxValue - 7UL)]
    public void A_header_longer_than_the_file_is_an_error(ulong headerLength)
    {
        Write(headerLength, "{}"u8.ToArray(), []);
        ExpectFailure();
    }

    [Fact]
    public void A_huge_file_is_an_error_and_takes_no_memory()
    {
        const long values = 1L << 31;
        var header = Encoding.UTF8.GetBytes(Tensor("a", "F32", "536870912", $"0,{values}"));
        Write((ulong)header.Length, header, []);
        using (var stream = File.OpenWrite(_path))
            stream.SetLength(8 + header.Length + values); // a hole, no blocks
        var before = GC.GetAllocatedBytesForCurrentThread();
        ExpectFailure();
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
    }

    [Fact]
    public void Reads_what_it_wrote()
    {
        (string, Tensor)[] tensors =
        [
            ("b.weight", new([2, 1, 3], [1.5f, -0f, float.NaN, float.PositiveInfinity, 1e-45f, float.MinValue])),
            ("a \"quoted\" ä", new([], [7])),
            ("empty", new([0, 5], [])),
        ];
        Save(tensors, new() { ["epoch"] = "3", ["text"] = "line\nline" });
        var loaded = Safetensors.Load(_path);
        Assert.Equal(tensors.Length, loaded.Tensors.Count);
        foreach (var (name, tensor) in tensors)
        {
            Assert.Equal(tensor.Shape, loaded.Tensors[name].Shape);
            Assert.Equal(
                tensor.Values.Select(BitConverter.SingleToInt32Bits), loaded.Tensors[name].Values.Select(BitConverter.SingleToInt32Bits));
        }

        Assert.Equal(("3", "line\nline", 2), (loaded.Metadata["epoch"], loaded.Metadata["text"], loaded.Metadata.Count));
        Assert.Equal(0, (int)(BinaryPrimitives.ReadUInt64LittleEndian(File.ReadAllBytes(_path)) % 8));
    }

    [Fact]
    public void Reads_half_precision_in_any_order_with_padding_and_unknown_fields()
    {
        var header = """
              {"h":{"note":"x","data_offsets":[8,14],"shape":[3],"dtype":"F16"},
               "f":{"dtype":"F32","shape":[1,1],"data_offsets":[4,8]},
               "__metadata__":{"format":"pt","n":"1"},
               "b":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}
            """ + "   ";
        var values = new byte[14];
        BinaryPrimitives.WriteUInt16LittleEndian(values, 0x3FC0); // 1.5 in bfloat16
        BinaryPrimitives.WriteUInt16LittleEndian(values.AsSpan(2), 0xC2F7); // −123.5
        BinaryPrimitives.WriteSingleLittleEndian(values.AsSpan(4), 0.1f);
        BinaryPrimitives.WriteUInt16LittleEndian(values.AsSpan(8), 0x3C00); // 1 in float16
        BinaryPrimitives.WriteUInt16LittleEndian(values.AsSpan(10), 0xFBFF); // −65504
        BinaryPrimitives.WriteUInt16LittleEndian(values.AsSpan(12), 0x0001); // 2⁻²⁴
        Write((ulong)Encoding.UTF8.GetByteCount(header), Encoding.UTF8.GetBytes(header), values);
        var loaded = Safetensors.Load(_path);
        Assert.Equal([1.5f, -123.5f], loaded.Tensors["b"].Values);
        Assert.Equal([0.1f], loaded.Tensors["f"].Values);
        Assert.Equal([1f, -65504f, MathF.Pow(2, -24)], loaded.Tensors["h"].Values);
        Assert.Equal("pt", loaded.Metadata["format"]);
    }

    public void Dispose() => File.Delete(_path);

    private static string Tensor(string name, string type, string shape, string offsets) =>
        $$$"""{"{{{name}}}":{"dtype":"{{{type}}}","shape":[{{{shape}}}],"data_offsets":[{{{offsets}}}]}}""";

    private static string Two(string a, string offsetsOfA, string b, string offsetsOfB) =>
        Tensor(a, "F32", "1", offsetsOfA)[..^1] + "," + Tensor(b, "F32", "1", offsetsOfB)[1..];

    private void ExpectFailure()
    {
        var e = Assert.Throws<InvalidDataException>(() => Safetensors.Load(_path));
        Assert.NotEmpty(e.Message);
        Assert.DoesNotContain('\n', e.Message);
        Assert.DoesNotContain('\r', e.Message);
        Assert.InRange(e.Message.Length, 1, 400);
    }

    private void Save((string, Tensor)[] tensors, Dictionary<string, string>? metadata = null)
    {
        using var stream = File.Create(_path);
        Safetensors.Save(stream, tensors, metadata ?? []);
    }

    private void Write(ulong headerLength, byte[] header, byte[] values)
    {
        var prefix = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, headerLength);
        File.WriteAllBytes(_path, [.. prefix, .. header, .. values]);
    }
}
