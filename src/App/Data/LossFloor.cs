using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Data;

/// <summary>What no training can change about a set of images: losses of two outputs that need no model.</summary>
/// <param name="Floor">
/// Mean of (t − clip(t, 0, 1))² over all pixels' normalised values t: the loss of the best output that a sigmoid can reach.
/// </param>
/// <param name="Blank">Mean of t²: the loss of an output of zeros, which a collapsed model shows.</param>
public readonly record struct LossFloor(double Floor, double Blank)
{
    /// <summary>Both losses of a set of images, from a histogram of its pixels.</summary>
    /// <param name="images">At least one image.</param>
    public static LossFloor Of(ImageSet images)
    {
        ArgumentOutOfRangeException.ThrowIfZero(images.Pixels.Length);
        long[] histogram = new long[256];
        foreach (byte pixel in images.Pixels)
            histogram[pixel]++;

        double floor = 0, blank = 0;
        for (int value = 0; value < histogram.Length; value++)
        {
            double target = Normalisation.Of((byte)value);
            double unreachable = target - Math.Clamp(target, 0, 1);
            floor += histogram[value] * unreachable * unreachable;
            blank += histogram[value] * target * target;
        }
        return new LossFloor(floor / images.Pixels.Length, blank / images.Pixels.Length);
    }
}
