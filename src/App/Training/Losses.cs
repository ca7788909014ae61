using System.Diagnostics;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Training;

/// <summary>Averages the images' losses that a feed holds, in double precision.</summary>
internal static class Losses
{
    /// <summary>Steps evaluated at once take about so long; between them cancellation is listened for.</summary>
    private static readonly TimeSpan _chunkTime = TimeSpan.FromSeconds(0.1);

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
        var chunk = 1;
        for (var step = 0; step < feed.Steps;)
        {
            cancellation.ThrowIfCancellationRequested();
            var begin = Stopwatch.GetTimestamp();
            var steps = Math.Min(chunk, feed.Steps - step);
            model.Evaluate(feed, step, steps);
            losses.AddRange(feed.ReadLosses(step, steps));
            chunk = (int)Math.Clamp(steps * (_chunkTime / Stopwatch.GetElapsedTime(begin)), 1, 64);
            step += steps;
        }

        return losses.Chunk(miniBatch).Average(batch => batch.Average(loss => (double)loss));
    }
}
