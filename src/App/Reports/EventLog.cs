using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using Google.Protobuf;

namespace AutoencoderGpu.App.Reports;

/// <summary>
/// A model's log for TensorBoard: the scalars <c>Loss/train</c>, <c>Loss/test</c> and <c>LR</c>, one step an epoch. The file is a
/// sequence of records (https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details), each of them an
/// <c>Event</c> message (tensorflow/core/util/event.proto).
/// </summary>
/// <param name="folder">Made when the first epoch is written.</param>
public sealed class EventLog(string folder) : IDisposable
{
    private const string Prefix = "events.out.tfevents.";

    // Numbers of the messages' fields.
    private const int WallTime = 1, Step = 2, FileVersion = 3, Summary = 5; // Event
    private const int Value = 1; // Summary
    private const int Tag = 1, SimpleValue = 2; // Summary.Value

    private FileStream? _file;

    /// <summary>Whether a file is a log, by its name.</summary>
    public static bool IsLog(string name) => name.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>The logs in a folder, which need not exist.</summary>
    public static string[] FilesIn(string folder) => Directory.Exists(folder) ? Directory.GetFiles(folder, Prefix + "*") : [];

    /// <summary>
    /// Writes the last epoch. The first call writes all of them into a new file in place of an old one, so that the log of a resumed
    /// run shows what its checkpoint holds, no more and no less.
    /// </summary>
    /// <param name="epochs">All epochs up to now, at least one.</param>
    /// <exception cref="UserError">The file cannot be written (<see cref="ExitCode.Failed"/>).</exception>
    public void Append(IReadOnlyList<EpochRecord> epochs)
    {
        using var records = new MemoryStream();
        try
        {
            if (_file is null)
            {
                Directory.CreateDirectory(folder);
                foreach (var old in FilesIn(folder))
                    File.Delete(old);
                var name = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}.autoencoder");
                _file = new(Path.Combine(folder, name), FileMode.CreateNew, FileAccess.Write, FileShare.Read);
                WriteRecord(records, Event(epochs[0].EndedAt, 0, message =>
                {
                    message.WriteTag(FileVersion, WireFormat.WireType.LengthDelimited);
                    message.WriteString("brain.Event:2");
                }));
                foreach (var epoch in epochs)
                    WriteRecord(records, Scalars(epoch));
            }
            else
            {
                WriteRecord(records, Scalars(epochs[^1]));
            }

            // In one piece: a reader that looks on meanwhile sees whole records.
            _file.Write(records.GetBuffer().AsSpan(0, (int)records.Length));
            _file.Flush();
        }
        catch (Exception e) when (AtomicFile.IsFailure(e))
        {
            throw new UserError(ExitCode.Failed, $"Cannot write TensorBoard's log in {folder}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    /// <summary>A checksum as records hold it: CRC-32C, rotated and offset so that checksums of checksums are sound.</summary>
    internal static uint MaskedChecksum(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
            crc = BitOperations.Crc32C(crc, value);
        return BitOperations.RotateRight(~crc, 15) + 0xA282EAD8;
    }

    private static void WriteRecord(MemoryStream records, byte[] data)
    {
        Span<byte> head = stackalloc byte[12], tail = stackalloc byte[4];
        BinaryPrimitives.WriteInt64LittleEndian(head, data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(head[8..], MaskedChecksum(head[..8]));
        BinaryPrimitives.WriteUInt32LittleEndian(tail, MaskedChecksum(data));
        records.Write(head);
        records.Write(data);
        records.Write(tail);
    }

    private static byte[] Scalars(EpochRecord epoch)
    {
        (string Tag, double Value)[] scalars =
            [("Loss/train", epoch.TrainLoss), ("Loss/test", epoch.TestLoss), ("LR", epoch.LearningRate)];
        var summary = Encode(message =>
        {
            foreach (var scalar in scalars)
                WriteBytes(message, Value, Scalar(scalar.Tag, scalar.Value));
        });
        return Event(epoch.EndedAt, epoch.Epoch, message => WriteBytes(message, Summary, summary));
    }

    private static byte[] Scalar(string tag, double value) => Encode(message =>
    {
        message.WriteTag(Tag, WireFormat.WireType.LengthDelimited);
        message.WriteString(tag);
        message.WriteTag(SimpleValue, WireFormat.WireType.Fixed32);
        message.WriteFloat((float)value);
    });

    private static byte[] Event(DateTimeOffset time, int step, Action<CodedOutputStream> writeRest) => Encode(message =>
    {
        message.WriteTag(WallTime, WireFormat.WireType.Fixed64);
        message.WriteDouble(time.ToUnixTimeMilliseconds() / 1e3);
        message.WriteTag(Step, WireFormat.WireType.Varint);
        message.WriteInt64(step);
        writeRest(message);
    });

    private static void WriteBytes(CodedOutputStream message, int field, byte[] bytes)
    {
        message.WriteTag(field, WireFormat.WireType.LengthDelimited);
        message.WriteBytes(ByteString.CopyFrom(bytes));
    }

    private static byte[] Encode(Action<CodedOutputStream> write)
    {
        using var bytes = new MemoryStream();
        using (var message = new CodedOutputStream(bytes, leaveOpen: true))
            write(message);
        return bytes.ToArray();
    }
}
