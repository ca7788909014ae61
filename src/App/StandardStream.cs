using System.Text;

namespace AutoencoderGpu.App;

/// <summary>
/// A standard stream that may be closed, or on a full disk. A message that cannot be written is lost and ends nothing; data that cannot be
/// written are an error.
/// </summary>
internal sealed class StandardStream : TextWriter
{
    private readonly TextWriter _writer;
    private readonly bool _mayFail;

    private StandardStream(TextWriter writer, bool mayFail) => (_writer, _mayFail) = (writer, mayFail);

    /// <inheritdoc/>
    public override Encoding Encoding => _writer.Encoding;

    /// <summary>Standard error.</summary>
    public static StandardStream Messages() => new(Console.Error, mayFail: true);

    /// <summary>Standard output.</summary>
    public static StandardStream Data() => new(Console.Out, mayFail: false);

    /// <inheritdoc/>
    public override void Write(char value) => Try(() => _writer.Write(value));

    /// <inheritdoc/>
    public override void Write(string? value) => Try(() => _writer.Write(value));

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Try(() => _writer.Write(buffer, index, count));

    /// <inheritdoc/>
    public override void WriteLine(string? value) => Write(value + NewLine);

    /// <inheritdoc/>
    public override void Flush() => Try(_writer.Flush);

    private void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException or ArgumentException)
        {
            if (!_mayFail)
                throw new UserError(ExitCode.Failed, $"standard output cannot be written: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }
}
