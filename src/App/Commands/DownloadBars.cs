using AutoencoderGpu.App.Data;
using Spectre.Console;

namespace AutoencoderGpu.App.Commands;

/// <summary>Shows downloads: a line that is rewritten on a terminal, a line a file elsewhere.</summary>
internal sealed class DownloadBars(Terminal terminal) : IProgress<DownloadProgress>, IDisposable
{
    private readonly Lock _lock = new();
    private string _file = "";
    private long _shown;

    public void Report(DownloadProgress value)
    {
        if (terminal.IsQuiet)
            return;
        lock (_lock)
        {
            if (value.File != _file)
            {
                Finish();
                _file = value.File;
                _shown = 0;
                if (!terminal.Messages.Profile.Capabilities.Interactive)
                    terminal.Say($"fetching {Markup.Escape(value.File)}");
            }

            if (!terminal.Messages.Profile.Capabilities.Interactive || value.Bytes - _shown < 1 << 16 && value.Bytes != value.Total)
                return;
            _shown = value.Bytes;
            var share = value.Total is > 0 and var total ? (double)value.Bytes / total : 0;
            var bar = new string('━', (int)(share * 30)).PadRight(30);
            terminal.Messages.Markup($"\r{Markup.Escape(value.File),-28} [green]{bar}[/] {value.Bytes / 1e6,6:0.0} MB");
        }
    }

    public void Dispose() => Finish();

    private void Finish()
    {
        if (_file.Length > 0 && terminal.Messages.Profile.Capabilities.Interactive)
            terminal.Messages.WriteLine();
        _file = "";
    }
}
