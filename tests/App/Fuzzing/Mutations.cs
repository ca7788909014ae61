using System.Text;
using CsCheck;

namespace AutoencoderGpu.Tests.App.Fuzzing;

/// <summary>Damaged inputs, the same ones every time.</summary>
internal static class Mutations
{
    private static readonly byte[] _bytes = [0, 1, 4, 0x7f, 0x80, 0xff];

    private static readonly string[] _values =
    [
        "0", "-1", "1e400", "1e-400", "2147483648", "4294967296", "-9223372036854775809", "NaN", "null", "\"\"", "\"0\"", "[]", "{}", "true",
        "[null]", "{\"a\":1}", "0.5", "1e-50", "\"fc; fc\"", "\"784-0-784\"", "99999999999999999999", "[1,", "\"\\ud800\"",
    ];

    /// <summary>One to four changes of a sample: bytes set, runs cut out, inserted, copied, zeroed, or the end cut off or extended.</summary>
    public static Gen<byte[]> OfBytes(IReadOnlyList<byte[]> samples) =>
        Gen.Select(Gen.Int[0, samples.Count - 1], Change.Array[1, 4], (sample, changes) => changes.Aggregate(samples[sample], (bytes, change) => change(bytes)));

    /// <summary>One to three changes of a JSON text of a line a member: values replaced, lines dropped, doubled or swapped; or of its bytes.</summary>
    public static Gen<byte[]> OfJson(IReadOnlyList<string> samples) => Gen.OneOf(
        OfBytes([.. samples.Select(Encoding.UTF8.GetBytes)]),
        Gen.Select(Gen.Int[0, samples.Count - 1], LineChange.Array[1, 3], (sample, changes) =>
            Encoding.UTF8.GetBytes(string.Join('\n', changes.Aggregate(samples[sample].Split('\n'), (lines, change) => change(lines))))));

    /// <summary>Words joined at random.</summary>
    public static Gen<string[]> OfWords(string[] words, int most) => One(words).Array[0, most];

    private static Gen<T> One<T>(T[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);

    private static Gen<Func<byte[], byte[]>> Change => Gen.Select(Gen.Int[0, 6], Gen.Double.Unit, Gen.Double.Unit, Gen.OneOf(Gen.Byte, One(_bytes)), (kind, at, much, value) =>
        new Func<byte[], byte[]>(byte[] (bytes) =>
        {
            if (bytes.Length == 0)
                return [value];
            // Headers are short and decide most.
            var place = (int)(at < 0.5 ? at * 2 * Math.Min(bytes.Length, 400) : (at - 0.5) * 2 * bytes.Length);
            var length = Math.Min(bytes.Length - place, 1 + (int)(much * much * much * 64));
            byte[] changed = [.. bytes];
            switch (kind)
            {
                case 0:
                    changed[place] = value;
                    return changed;
                case 1:
                    changed[place] ^= (byte)(1 << (value & 7));
                    return changed;
                case 2:
                    return [.. bytes[..place], .. bytes[(place + length)..]];
                case 3:
                    return [.. bytes[..place], .. Enumerable.Repeat(value, length), .. bytes[place..]];
                case 4:
                    return [.. bytes[..place], .. bytes[place..(place + length)], .. bytes[place..]];
                case 5:
                    changed.AsSpan(place, length).Fill(value);
                    return changed;
                default:
                    return much < 0.7 ? bytes[..place] : [.. bytes, .. Enumerable.Repeat(value, length)];
            }
        }));

    private static Gen<Func<string[], string[]>> LineChange => Gen.Select(Gen.Int[0, 4], Gen.Double.Unit, Gen.Double.Unit, One(_values), (kind, at, other, value) =>
        new Func<string[], string[]>(string[] (lines) =>
        {
            if (lines.Length == 0)
                return [value];
            int line = (int)(at * lines.Length), second = (int)(other * lines.Length);
            string[] changed = [.. lines];
            switch (kind)
            {
                case 0:
                    return [.. lines[..line], .. lines[(line + 1)..]];
                case 1:
                    return [.. lines[..line], lines[line], .. lines[line..]];
                case 2:
                    (changed[line], changed[second]) = (lines[second], lines[line]);
                    return changed;
                default:
                    var colon = lines[line].IndexOf(": ", StringComparison.Ordinal);
                    changed[line] = (colon < 0 ? "" : lines[line][..(colon + 2)]) + value + (lines[line].EndsWith(',') ? "," : "");
                    return changed;
            }
        }));
}
