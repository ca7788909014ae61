using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Training;

/// <summary>
/// Recognises a model whose outputs have all saturated at 0: its loss on each mini-batch is then exactly that of a blank image,
/// and stays there, since a saturated sigmoid passes no gradient. A model that learns does not stay: its outputs differ
/// from 0, so its loss differs from a blank image's by an amount that varies from one mini-batch to the next.
/// </summary>
public sealed class CollapseDetector
{
    /// <summary>How near the loss must be to that of a blank image.</summary>
    private const double Tolerance = 1e-3;

    /// <summary>For how many steps in a row.</summary>
    private const int Patience = 12;

    private readonly double[] _blank;
    private int _steps;

    /// <summary>Learns what a blank reconstruction of each image would cost.</summary>
    /// <param name="pixels">(N, H, W, C) bytes.</param>
    /// <param name="network">Its loss and input.</param>
    public CollapseDetector(byte[] pixels, Network network)
    {
        int size = network.Input.Size, channels = network.Input.Channels;
        double[] losses = [.. Enumerable.Range(0, 256 * channels).Select(entry => network.Loss.Value(0, network.TargetOf((byte)(entry & 255), entry >> 8)))];
        _blank = new double[pixels.Length / size];
        for (var image = 0; image < _blank.Length; image++)
        {
            var sum = 0.0;
            var values = pixels.AsSpan(image * size, size);
            for (int k = 0, channel = 0; k < values.Length; k++, channel = channel + 1 == channels ? 0 : channel + 1)
                sum += losses[256 * channel + values[k]];
            _blank[image] = sum / size;
        }
    }

    /// <summary>Takes the next mini-batch; true when the model has collapsed.</summary>
    /// <param name="images">The images of the mini-batch.</param>
    /// <param name="loss">Its loss.</param>
    public bool HasCollapsed(ReadOnlySpan<int> images, double loss)
    {
        var blank = 0.0;
        foreach (var image in images)
            blank += _blank[image];
        blank /= images.Length;
        _steps = Math.Abs(loss - blank) <= Tolerance * blank ? _steps + 1 : 0;
        return _steps >= Patience;
    }
}
