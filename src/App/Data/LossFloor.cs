using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Data;

/// <summary>The floors of a data set's two losses.</summary>
/// <param name="Train">Of the training loss.</param>
/// <param name="Test">Of the test loss.</param>
public sealed record Floors(double Train, double Test)
{
    /// <summary>Of both halves of a data set, once they are asked for.</summary>
    public static Lazy<Floors> Of(DataSet data) => new(() => new(LossFloor.Of(data.Train), LossFloor.Of(data.Test)));
}

/// <summary>What no training can change: the loss of the best output that a sigmoid can reach.</summary>
public static class LossFloor
{
    /// <summary>Mean of (t − clip(t, 0, 1))² over all pixels' normalised values t, from a histogram.</summary>
    /// <param name="images">At least one image.</param>
    public static double Of(ImageSet images)
    {
        ArgumentOutOfRangeException.ThrowIfZero(images.Pixels.Length);
        var histogram = new long[256];
        foreach (var pixel in images.Pixels)
            histogram[pixel]++;

        var floor = 0.0;
        for (var value = 0; value < histogram.Length; value++)
        {
            var target = Normalisation.Mnist.Of((byte)value);
            var unreachable = target - Math.Clamp(target, 0, 1);
            floor += histogram[value] * unreachable * unreachable;
        }

        return floor / images.Pixels.Length;
    }
}
