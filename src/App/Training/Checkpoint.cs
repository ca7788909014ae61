using AutoencoderGpu.App.Reports;

namespace AutoencoderGpu.App.Training;

/// <summary>Where a model's training stands, besides its weights.</summary>
/// <param name="History">Epochs that are complete.</param>
/// <param name="Step">Steps done of the epoch after them.</param>
/// <param name="LossSum">The sum of those steps' mini-batch losses.</param>
/// <param name="Seconds">Time spent on those steps and what is around them.</param>
/// <param name="TrainingSeconds">Time spent on training steps alone, those of complete epochs included.</param>
/// <param name="RecentLosses">The mini-batch losses of the last steps, <see cref="RecentSteps"/> at most.</param>
public sealed record Checkpoint(
    IReadOnlyList<EpochRecord> History,
    int Step,
    double LossSum,
    double Seconds,
    double TrainingSeconds,
    IReadOnlyList<double> RecentLosses)
{
    /// <summary>How many steps are recent.</summary>
    public const int RecentSteps = 100;

    /// <summary>The state before the first step.</summary>
    public static Checkpoint Beginning { get; } = new([], 0, 0, 0, 0, []);

    /// <summary>Looks whether a training can stand like this.</summary>
    /// <param name="model">Whose history it is.</param>
    /// <param name="stepsOfEpoch">The steps of an epoch.</param>
    /// <exception cref="InvalidDataException">It cannot; the message says why, in one line.</exception>
    public void Check(string model, int stepsOfEpoch)
    {
        Require(Step >= 0 && Step <= stepsOfEpoch, $"step {Step} is not within an epoch of {stepsOfEpoch}");
        Require(IsAmount(LossSum) && (Step > 0 || LossSum == 0), "its sum of losses is none");
        Require(IsAmount(Seconds) && IsAmount(TrainingSeconds), "its times are none");
        Require(RecentLosses.Count <= RecentSteps && RecentLosses.All(IsAmount), "its recent losses are none");
        for (var epoch = 0; epoch < History.Count; epoch++)
        {
            // Respected for properties, not for a list's entries.
            var record = History[epoch];
            Require(
                record is not null && record.Model == model && record.Epoch == epoch + 1
                    && IsAmount(record.TrainLoss) && IsAmount(record.TestLoss) && IsAmount(record.LearningRate) && IsAmount(record.Seconds),
                $"entry {epoch + 1} of its history is none of the model's epoch {epoch + 1}");
        }
    }

    private static bool IsAmount(double value) => double.IsFinite(value) && value >= 0;

    private static void Require(bool holds, string otherwise)
    {
        if (!holds)
            throw new InvalidDataException(otherwise);
    }
}
