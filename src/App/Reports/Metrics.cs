using System.Globalization;
using System.Text;

namespace AutoencoderGpu.App.Reports;

/// <summary>
/// <c>metrics.csv</c>: one line an epoch and model. Numbers are written in the shortest form that reads back to the same bits,
/// with a point, whatever the machine's language; a loss that is not finite is <c>NaN</c> or <c>Infinity</c>.
/// </summary>
public static class Metrics
{
    /// <summary>The first line of the file.</summary>
    public const string Header = "model,epoch,train_loss,test_loss,learning_rate,seconds";

    /// <summary>Replaces the file by these epochs, whole or not at all.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="epochs">All lines, in order.</param>
    /// <exception cref="UserError">The file cannot be written (<see cref="ExitCode.Failed"/>).</exception>
    public static void Write(string path, IEnumerable<EpochRecord> epochs)
    {
        var text = new StringBuilder(Header).Append('\n');
        foreach (EpochRecord e in epochs)
        {
            if (e.Model.AsSpan().ContainsAny(",\"\r\n"))
                throw new ArgumentException($"A model's name must not contain commas, quotes or line ends: {e.Model}", nameof(epochs));
            text.Append(CultureInfo.InvariantCulture,
                $"{e.Model},{e.Epoch},{e.TrainLoss:R},{e.TestLoss:R},{e.LearningRate:R},{e.Seconds:R}\n");
        }

        AtomicFile.WriteText(path, text.ToString());
    }

    /// <summary>Adds one epoch, beginning the file if there is none. The file is tiny, so it is written anew, whole.</summary>
    /// <param name="path">The file; its folder must exist.</param>
    /// <param name="epoch">The epoch just finished.</param>
    /// <exception cref="UserError">The file is damaged or cannot be written.</exception>
    public static void Append(string path, EpochRecord epoch) =>
        Write(path, File.Exists(path) ? [.. Read(path), epoch] : [epoch]);

    /// <summary>Reads the file back.</summary>
    /// <param name="path">The file.</param>
    /// <returns>All epochs in the file's order.</returns>
    /// <exception cref="UserError">The file is missing or damaged (<see cref="ExitCode.Data"/>).</exception>
    public static IReadOnlyList<EpochRecord> Read(string path)
    {
        string[] lines = ReadLines(path);
        if (lines is [] || lines[0] != Header)
            throw Error(path, $"its first line is not {Header}");
        return [.. lines.Skip(1).Select((line, i) =>
            Parse(line) ?? throw Error(path, $"line {i + 2} is not a model, an epoch and four numbers; remove it"))];
    }

    private static string[] ReadLines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Error(path, e.Message.ReplaceLineEndings(" "), e);
        }
    }

    private static EpochRecord? Parse(string line)
    {
        string[] fields = line.Split(',');
        return fields.Length == 6
            && int.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out int epoch)
            && TryParse(fields[2], out double trainLoss)
            && TryParse(fields[3], out double testLoss)
            && TryParse(fields[4], out double learningRate)
            && TryParse(fields[5], out double seconds)
            ? new EpochRecord(fields[0], epoch, trainLoss, testLoss, learningRate, seconds)
            : null;
    }

    private static bool TryParse(string field, out double value) =>
        double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out value);

    private static UserError Error(string path, string reason, Exception? inner = null) =>
        new(ExitCode.Data, $"Cannot read {path}: {reason}", inner);
}
