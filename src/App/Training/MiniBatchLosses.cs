using AutoencoderGpu.Kernels.Executors;

namespace AutoencoderGpu.App.Training;

/// <summary>Averages the images' losses that a feed holds, in double precision.</summary>
internal static class MiniBatchLosses
{
    /// <summary>The loss of each mini-batch of a run of steps; waits for the device.</summary>
    public static double[] Of(Feed feed, int firstStep, int steps)
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
}
