using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Data;

/// <summary>The floors of the two losses of each network on a data set, reckoned when they are asked for.</summary>
/// <param name="data">The data set.</param>
internal sealed class Floors(DataSet data)
{
    private readonly Dictionary<string, (double Train, double Test)> _known = [];

    /// <summary>Of a network's training and test loss.</summary>
    public (double Train, double Test) Of(Network network)
    {
        if (!_known.TryGetValue(network.Name, out var floors))
            _known.Add(network.Name, floors = (LossFloor.Of(data.Train, network), LossFloor.Of(data.Test, network)));
        return floors;
    }
}

/// <summary>What no training can change: the loss of the best output that a network's last activation can reach.</summary>
public static class LossFloor
{
    /// <summary>The mean of what the loss leaves of each value at best, from a histogram; of squared errors and a sigmoid (t − clip(t, 0, 1))².</summary>
    /// <param name="images">At least one image.</param>
    /// <param name="network">Its loss, normalisation and last activation.</param>
    public static double Of(ImageSet images, Network network)
    {
        ArgumentOutOfRangeException.ThrowIfZero(images.Pixels.Length);
        var channels = images.Channels;
        var histogram = new long[channels * 256];
        for (int k = 0, channel = 0; k < images.Pixels.Length; k++, channel = channel + 1 == channels ? 0 : channel + 1)
            histogram[256 * channel + images.Pixels[k]]++;

        var floor = 0.0;
        for (var entry = 0; entry < histogram.Length; entry++)
        {
            if (histogram[entry] > 0)
                floor += histogram[entry] * network.Loss.Floor(network.TargetOf((byte)(entry & 255), entry >> 8), network.OutputActivation);
        }

        return floor / images.Pixels.Length;
    }
}
