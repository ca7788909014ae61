using System.Globalization;

namespace AutoencoderGpu.App.Training;

/// <summary>
/// The live line of a training: bar, loss, steps per second, time left. It is drawn over itself on a terminal and not at all
/// elsewhere, where the lines of the epochs are enough.
/// </summary>
internal sealed class ProgressLine(Terminal terminal, string title, int epochs) : IDisposable
{
    private const int BarWidth = 24;
    private readonly bool _isLive = !terminal.IsQuiet && terminal.Messages.Profile.Capabilities.Interactive;
    private bool _isDrawn;

    /// <summary>Draws the line anew.</summary>
    public void Show(TrainingProgress progress)
    {
        if (!_isLive)
            return;
        var filled = (int)(BarWidth * progress.Steps / progress.TotalSteps);
        var left = TimeSpan.FromSeconds((progress.TotalSteps - progress.Steps) / progress.StepsPerSecond);
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{title} epoch {progress.Epoch}/{epochs} {new string('━', filled)}{new string('╌', BarWidth - filled)} loss {progress.Loss:0.0000}  {progress.StepsPerSecond:N0} steps/s  {left:h\\:mm\\:ss} left");
        Clear();
        var width = Math.Max(1, terminal.Messages.Profile.Width - 1);
        terminal.MessageWriter.Write(line.Length > width ? line[..width] : line);
        _isDrawn = true;
    }

    /// <summary>Removes the line, so that another can be written in its place.</summary>
    public void Clear()
    {
        if (_isDrawn)
            terminal.MessageWriter.Write("\r\e[2K");
        _isDrawn = false;
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();
}
