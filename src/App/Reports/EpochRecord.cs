namespace AutoencoderGpu.App.Reports;

/// <summary>One model's losses after one epoch, a row of <c>metrics.csv</c>.</summary>
/// <param name="Model"><c>fc</c> or <c>conv</c>.</param>
/// <param name="Epoch">From 1.</param>
/// <param name="TrainLoss">Mean of the epoch's mini-batch losses.</param>
/// <param name="TestLoss">Loss over the test images after the epoch.</param>
/// <param name="LearningRate">The rate of the epoch's last step.</param>
/// <param name="Seconds">The epoch's time, training and test.</param>
public sealed record EpochRecord(string Model, int Epoch, double TrainLoss, double TestLoss, double LearningRate, double Seconds)
{
    /// <summary>When the epoch was complete, which TensorBoard shows.</summary>
    public DateTimeOffset EndedAt { get; init; }
}
