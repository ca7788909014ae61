using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace AutoencoderGpu.Models;

/// <summary>Values in float32 with a shape, row-major.</summary>
public sealed record Tensor(IReadOnlyList<int> Shape, float[] Values);

/// <summary>
/// A file of named tensors: 8 bytes with the length of a JSON header, the header, and the values
/// (https://huggingface.co/docs/safetensors). Written as float32; float16 and bfloat16 are read too.
/// </summary>
/// <param name="Tensors">By name.</param>
/// <param name="Metadata">Free text by name.</param>
public sealed record Safetensors(IReadOnlyDictionary<string, Tensor> Tensors, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>A header beyond this is not one of a model that this program knows.</summary>
    private const int LongestHeader = 16 << 20;

    /// <summary>So is a file beyond this, which keeps a damaged one from taking all memory.</summary>
    private const long LongestFile = 1L << 31;

    private const string MetadataKey = "__metadata__";

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">The file is damaged; the message says how, in one line.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Safetensors Load(string path)
    {
        using var stream = InputFile.Open(path, LongestFile);
        Span<byte> prefix = stackalloc byte[8];
        if (stream.Length < 8)
            throw new InvalidDataException("it is shorter than the 8 bytes of a safetensors prefix");
        stream.ReadExactly(prefix);
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > LongestHeader || (long)headerLength > stream.Length - 8)
            throw new InvalidDataException(OtherFormat(prefix) ?? $"it declares a header of {headerLength} bytes, which is not that of a model's weights");
        var header = new byte[headerLength];
        stream.ReadExactly(header);
        try
        {
            using var json = JsonDocument.Parse(header, new() { AllowDuplicateProperties = false });
            return Read(json.RootElement, stream, 8 + (long)headerLength);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException(OneLine(e.Message), e); // names may hold anything
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new InvalidDataException("its header is not that of a safetensors file: " + OneLine(e.Message), e);
        }
    }

    /// <summary>Writes the tensors as float32, in their order.</summary>
    public static void Save(
        Stream target, IReadOnlyList<(string Name, Tensor Tensor)> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using var header = new MemoryStream();
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            json.WriteStartObject(MetadataKey);
            foreach (var (key, value) in metadata)
                json.WriteString(key, value);
            json.WriteEndObject();
            long offset = 0;
            foreach (var (name, tensor) in tensors)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype", "F32");
                WriteNumbers(json, "shape", tensor.Shape.Select(size => (long)size));
                WriteNumbers(json, "data_offsets", [offset, offset += 4L * tensor.Values.Length]);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        // The format asks for a header that ends at a multiple of 8 bytes, padded with spaces.
        while (header.Length % 8 != 0)
            header.WriteByte((byte)' ');
        Span<byte> prefix = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, header.Length);
        target.Write(prefix);
        header.WriteTo(target);
        foreach (var (_, tensor) in tensors)
            target.Write(BytesOf(tensor.Values));
    }

    private static Safetensors Read(JsonElement header, FileStream stream, long start)
    {
        var length = stream.Length - start;
        var metadata = new Dictionary<string, string>();
        var entries = new List<Entry>();
        foreach (var property in header.EnumerateObject())
        {
            if (property.Name == MetadataKey)
            {
                foreach (var item in property.Value.EnumerateObject())
                    metadata[item.Name] = item.Value.GetString() ?? throw new InvalidDataException($"its metadata's '{item.Name}' is no text");
            }
            else
            {
                entries.Add(Entry.Parse(property.Name, property.Value, length));
            }
        }

        long end = 0;
        foreach (var entry in entries.OrderBy(entry => entry.Begin))
        {
            if (entry.Begin < end)
                throw new InvalidDataException($"tensor '{entry.Name}' overlaps another");
            if (entry.Begin > end)
                throw new InvalidDataException($"no tensor has bytes {end:N0} to {entry.Begin - 1:N0}, and the format allows no holes");
            end = entry.End;
        }

        if (end < length)
            throw new InvalidDataException($"{length - end:N0} bytes follow the last tensor, and the format allows none");

        var tensors = new Dictionary<string, Tensor>();
        foreach (var entry in entries)
        {
            stream.Position = start + entry.Begin;
            tensors.Add(entry.Name, new(entry.Shape, entry.ReadFrom(stream)));
        }

        return new(tensors, metadata);
    }

    /// <summary>What else a file is that people take for one of these, and how they get the real one; null if it is none of them.</summary>
    private static string? OtherFormat(ReadOnlySpan<byte> prefix) =>
        prefix.StartsWith("version "u8) ? "it is a pointer of Git LFS, not the file that this stands for; `git lfs pull` fetches that"
        : prefix.StartsWith("PK"u8) ? "it is a zip archive, as torch.save writes; save it in PyTorch with `safetensors.torch.save_file(model.state_dict(), \"weights.safetensors\")`"
        : prefix.StartsWith((ReadOnlySpan<byte>)[0x80, 0x02]) ? "it is a Python pickle, as old versions of torch.save write; save it in PyTorch with `safetensors.torch.save_file(model.state_dict(), \"weights.safetensors\")`"
        : null;

    private static string OneLine(string text) => text.ReplaceLineEndings(" ");

    private static void WriteNumbers(Utf8JsonWriter json, string name, IEnumerable<long> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteNumberValue(value);
        json.WriteEndArray();
    }

    /// <summary>Values as the file has them, little-endian.</summary>
    private static Span<byte> BytesOf(float[] values) => BitConverter.IsLittleEndian
        ? MemoryMarshal.AsBytes(values.AsSpan())
        : throw new PlatformNotSupportedException("Weights are read and written on little-endian machines only.");

    /// <summary>A tensor as the header describes it.</summary>
    private sealed record Entry(string Name, string Type, int[] Shape, long Begin, long End)
    {
        private int Size => Type == "F32" ? 4 : 2;

        public static Entry Parse(string name, JsonElement json, long length)
        {
            var type = json.GetProperty("dtype").GetString() ?? "";
            if (type is not ("F32" or "F16" or "BF16"))
                throw new InvalidDataException($"tensor '{name}' has type {type}; F32, F16 and BF16 are read");
            int[] shape = [.. json.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())];
            long[] offsets = [.. json.GetProperty("data_offsets").EnumerateArray().Select(offset => offset.GetInt64())];
            if (offsets.Length != 2 || offsets[0] < 0 || offsets[1] < offsets[0] || offsets[1] > length)
                throw new InvalidDataException($"tensor '{name}' lies outside the file, which holds {length} bytes of values");
            var entry = new Entry(name, type, shape, offsets[0], offsets[1]);
            // Double precision is exact for all sizes that a file may have, and does not wrap beyond.
            var count = shape.Aggregate(1.0, (product, size) => product * size);
            if (shape.Length > 8 || shape.Any(size => size < 0) || count * entry.Size != offsets[1] - offsets[0])
            {
                var sizes = string.Join(", ", shape.Take(8)) + (shape.Length > 8 ? ", …" : "");
                throw new InvalidDataException($"tensor '{name}' of shape ({sizes}) has {offsets[1] - offsets[0]} bytes");
            }

            return entry;
        }

        public float[] ReadFrom(FileStream stream)
        {
            var values = new float[(End - Begin) / Size];
            if (Type == "F32")
            {
                stream.ReadExactly(BytesOf(values));
                return values;
            }

            var bytes = new byte[End - Begin];
            stream.ReadExactly(bytes);
            for (var i = 0; i < values.Length; i++)
            {
                var value = bytes.AsSpan(i * Size);
                values[i] = Type == "F16"
                    ? (float)BinaryPrimitives.ReadHalfLittleEndian(value)
                    : BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadInt16LittleEndian(value) << 16);
            }

            return values;
        }
    }
}
