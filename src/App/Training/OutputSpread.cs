using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Training;

/// <summary>
/// How much reconstructions differ from image to image. Training that dies quietly, of too large a rate, shows in it: rectified units that answer to
/// nothing, or saturated outputs, give every image almost the same, and let no gradient past. The loss does not show it, for it still moves a little.
/// </summary>
/// <param name="Variance">Of an output from image to image, the mean over all outputs.</param>
/// <param name="Stuck">The share of outputs whose activation has no slope where they are.</param>
internal readonly record struct OutputSpread(double Variance, double Stuck)
{
    /// <summary>So many images tell.</summary>
    private const int Images = 200;

    /// <summary>A sigmoid is at 16 or beyond.</summary>
    private const float NoSlope = 1e-7f;

    /// <summary>Of a model on the first images of a feed.</summary>
    public static OutputSpread Of(Model model, Feed feed)
    {
        var size = model.Network.Input.Size;
        double[] sums = new double[size], squares = new double[size];
        long images = 0, stuck = 0;
        for (var step = 0; step < feed.Steps && images < Images; step++)
        {
            foreach (var output in model.Reconstruct(feed, step))
            {
                images++;
                for (var k = 0; k < size; k++)
                {
                    sums[k] += output[k];
                    squares[k] += (double)output[k] * output[k];
                    if (Activations.Derivative(model.Network.OutputActivation, output[k]) <= NoSlope)
                        stuck++;
                }
            }
        }

        var variance = 0.0;
        for (var k = 0; k < size; k++)
            variance += Math.Max(0, squares[k] - sums[k] * sums[k] / images) / images / size;
        return new(variance, (double)stuck / images / size);
    }

    /// <summary>
    /// Whether a model has died in training: its outputs differ a thousand times less than before the first step, which no learning does, or four
    /// times less while almost all of them are stuck; the outputs of a model that learns slowly differ less for a while, too, but are not stuck.
    /// </summary>
    /// <param name="untrained">Of the model before its first step.</param>
    public bool IsDead(OutputSpread untrained) => untrained.Variance > 0
        && (Variance < untrained.Variance / 1000 || Stuck > 0.95 && Variance < untrained.Variance / 4);
}
