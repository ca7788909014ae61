using System.Text;
using AutoencoderGpu.App.Reports;
using Xunit;

namespace AutoencoderGpu.Tests.App.Reports;

public sealed class EventLogTests : IDisposable
{
    private static readonly EpochRecord[] _epochs =
    [
        new("fc", 1, 0.5, 0.25, 1, 3) { EndedAt = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero) },
        new("fc", 2, 0.375, double.NaN, 0.1, 3) { EndedAt = new(2026, 11, 1, 12, 1, 0, TimeSpan.Zero) },
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Scalars_are_one_step_an_epoch()
    {
        using (var log = new EventLog(_folder.File("logs")))
        {
            log.Append(_epochs[..1]);
            Assert.Equal([("Loss/train", 1, 0.5f), ("Loss/test", 1, 0.25f), ("LR", 1, 1f)], Scalars());
            log.Append(_epochs);
        }

        Assert.Equal(
            [("Loss/train", 1, 0.5f), ("Loss/test", 1, 0.25f), ("LR", 1, 1f), ("Loss/train", 2, 0.375f), ("Loss/test", 2, float.NaN), ("LR", 2, 0.1f)],
            Scalars());
    }

    [Fact]
    public void A_log_begun_anew_takes_the_place_of_the_old_and_holds_all_epochs()
    {
        Directory.CreateDirectory(_folder.File("logs"));
        File.WriteAllText(Path.Combine(_folder.File("logs"), "events.out.tfevents.1.other"), "old");
        File.WriteAllText(Path.Combine(_folder.File("logs"), "notes.txt"), "kept");
        using (var log = new EventLog(_folder.File("logs")))
            log.Append(_epochs);
        Assert.Equal(6, Scalars().Count);
        Assert.Equal(2, Directory.GetFiles(_folder.File("logs")).Length);
    }

    [Fact]
    public void The_checksum_is_that_of_the_published_example()
    {
        // CRC-32C of "123456789" is E3069283 (https://reveng.sourceforge.io/crc-catalogue/all.htm).
        var masked = EventLog.MaskedChecksum(Encoding.ASCII.GetBytes("123456789"));
        Assert.Equal(0xE3069283u, uint.RotateLeft(masked - 0xA282EAD8, 15));
    }

    private IReadOnlyList<(string Tag, long Step, float Value)> Scalars() => EventFile.Scalars(Assert.Single(EventLog.FilesIn(_folder.File("logs"))));
}
