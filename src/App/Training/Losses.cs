using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Training;

/// <summary>Averages the images' losses that a feed holds, in double precision.</summary>
internal static class Losses
{
    /// <summary>Steps evaluated at once, between which cancellation is listened for.</summary>
    private const int Chunk = 64;

    /// <summary>The loss of each mini-batch of a run of steps; waits for the device.</summary>
    public static double[] OfMiniBatches(Feed feed, int firstStep, int steps)
    {
        var losses = feed.ReadLosses(firstStep, steps);
        var means = new double[steps];
        for (var i = 0; i < steps; i++)
        {
            var batch = feed[firstStep + i];
            var sum = 0.0;
            foreach (var loss in losses.AsSpan(batch.First - feed[firstStep].First, batch.Count))
                sum += loss;
            means[i] = sum / batch.Count;
        }

        return means;
    }

    /// <summary>The mean of the mini-batch losses of a whole data set, however many images the model takes at once.</summary>
    /// <param name="model">Evaluates <see cref="Model.BatchSize"/> images a step.</param>
    /// <param name="feed">The images.</param>
    /// <param name="miniBatch">Images of a mini-batch.</param>
    /// <param name="cancellation">Listened for between chunks.</param>
    public static double Evaluate(Model model, Feed feed, int miniBatch, CancellationToken cancellation)
    {
        var losses = new List<float>(feed.Count);
        for (var step = 0; step < feed.Steps; step += Chunk)
        {
            cancellation.ThrowIfCancellationRequested();
            var steps = Math.Min(Chunk, feed.Steps - step);
            model.Evaluate(feed, step, steps);
            losses.AddRange(feed.ReadLosses(step, steps));
        }

        return losses.Chunk(miniBatch).Average(batch => batch.Average(loss => (double)loss));
    }
}
