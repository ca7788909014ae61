using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using AutoencoderGpu.Models;
using Spectre.Console;

namespace AutoencoderGpu.App;

/// <summary>
/// Ctrl-C, SIGTERM and SIGHUP. The first asks the work to end; what has nothing to save is ended if it does not within two seconds. The second ends
/// the program at once, whatever it does: files are only ever replaced whole.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1.6);
    private static readonly TimeSpan _same = TimeSpan.FromSeconds(0.3);

    private readonly CancellationTokenSource _stop = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly Terminal _terminal;
    private Timer? _overdue;
    private long _first; // when the first signal came, 0 for not yet
    private volatile bool _isDisposed;
    private volatile bool _saves;
    private int _isSaid;

    /// <summary>Listens for signals until it is disposed of.</summary>
    public StopSignals(Terminal terminal)
    {
        _terminal = terminal;
        Listen(PosixSignal.SIGINT, ExitCode.Interrupted);
        Listen(PosixSignal.SIGTERM, ExitCode.Terminated);
        // nohup asks to go on when the terminal is closed.
        if (!IsHangUpIgnored())
            Listen(PosixSignal.SIGHUP, ExitCode.HungUp);
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _stop.Token;

    /// <summary>What the program ends with after a signal.</summary>
    public ExitCode Code { get; private set; } = ExitCode.Interrupted;

    /// <summary>Until the result is disposed of, work sees the token before long and then saves, which is waited for.</summary>
    public IDisposable SavesFirst()
    {
        _saves = true;
        return new Saving(this);
    }

    /// <summary>Says that the program stops; once, for work may end just when it is ended.</summary>
    public void SayStopped(string message)
    {
        if (Interlocked.Exchange(ref _isSaid, 1) == 0)
            _terminal.Messages.MarkupLine($"[bold yellow]stopped[/]{(message.Length > 0 ? $": {Markup.Escape(message)}" : "")}");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        // The source is left to the collector: a handler may be on its way.
        _isDisposed = true;
        _overdue?.Dispose();
    }

    private void Listen(PosixSignal signal, ExitCode code) => _registrations.Add(PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        if (_isDisposed)
            return;
        var first = Interlocked.CompareExchange(ref _first, Stopwatch.GetTimestamp(), 0);
        if (first != 0)
        {
            // Some programs send the same signal to a process and to its group.
            if (Stopwatch.GetElapsedTime(first) > _same)
                Posix.ExitNow((int)code);
            return;
        }

        Code = code;
        _overdue = new(_ => Overdue(), null, _patience, Timeout.InfiniteTimeSpan);
        _stop.Cancel();
    }));

    private void Overdue()
    {
        if (_isDisposed)
            return;
        if (_saves)
        {
            _terminal.Messages.MarkupLine(
                "[bold yellow]stopping[/] after the training step at hand, which takes longer than a moment; another signal ends the program at once, and the last checkpoint stays");
            return;
        }

        SayStopped("");
        Posix.ExitNow((int)Code);
    }

    private static bool IsHangUpIgnored()
    {
        try
        {
            const string field = "SigIgn:";
            return OperatingSystem.IsLinux()
                && File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith(field, StringComparison.Ordinal)) is { } line
                && ulong.TryParse(line[field.Length..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var ignored)
                && (ignored & 1) != 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private sealed class Saving(StopSignals signals) : IDisposable
    {
        public void Dispose() => signals._saves = false;
    }
}
