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
}
