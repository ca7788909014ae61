namespace AutoencoderGpu.Models;

/// <summary>How bytes become a network's input: (byte / 255 − mean) / deviation, a mean and a deviation for each channel.</summary>
/// <param name="Mean">(C) of the pixels, in 0 to 1.</param>
/// <param name="Deviation">(C) of the pixels, above 0.</param>
public sealed record Normalisation(IReadOnlyList<double> Mean, IReadOnlyList<double> Deviation)
{
    /// <summary>Deviations below this are those of channels that are nearly constant, which are left as they are.</summary>
    private const double LeastDeviation = 1e-3;

    /// <summary>The reference's, with the statistics of MNIST's training pixels.</summary>
    public static Normalisation Mnist { get; } = new([0.1307], [0.3081]);

    /// <summary>Pixels from 0 to 1.</summary>
    public static Normalisation None(int channels) => new([.. Enumerable.Repeat(0.0, channels)], [.. Enumerable.Repeat(1.0, channels)]);

    /// <summary>The statistics of images.</summary>
    /// <param name="pixels">(N, H, W, C) bytes.</param>
    /// <param name="channels">C.</param>
    public static Normalisation Measured(ReadOnlySpan<byte> pixels, int channels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        if (pixels.Length == 0 || pixels.Length % channels != 0)
            throw new ArgumentException($"{pixels.Length} bytes are not pixels of {channels} channels.", nameof(pixels));
        // Sums of whole numbers are exact.
        long[] sums = new long[channels], squares = new long[channels];
        for (int k = 0, channel = 0; k < pixels.Length; k++, channel = channel + 1 == channels ? 0 : channel + 1)
        {
            sums[channel] += pixels[k];
            squares[channel] += pixels[k] * pixels[k];
        }

        double count = pixels.Length / channels;
        double[] means = [.. sums.Select(sum => sum / (255 * count))];
        double[] deviations = [.. squares.Select((square, c) => Math.Sqrt(Math.Max(0, square / (255.0 * 255 * count) - means[c] * means[c])))];
        return new(means, [.. deviations.Select(deviation => deviation < LeastDeviation ? 1 : deviation)]);
    }

    /// <summary>Whether pixels stay as they are.</summary>
    public bool IsNone => Mean.All(mean => mean == 0) && Deviation.All(deviation => deviation == 1);

    /// <summary>Channels.</summary>
    public int Channels => Mean.Count;

    /// <summary>The normalised value of a byte.</summary>
    public double Of(byte value, int channel = 0) => (value / 255.0 - Mean[channel]) / Deviation[channel];

    /// <summary>Factors of a byte, (C).</summary>
    internal float[] Scales => OfChannels(ScaleOf);

    /// <summary>Summands of a scaled byte, (C).</summary>
    internal float[] Shifts => OfChannels(ShiftOf);

    /// <inheritdoc/>
    public bool Equals(Normalisation? other) => other is not null && Mean.SequenceEqual(other.Mean) && Deviation.SequenceEqual(other.Deviation);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Mean.Count, Mean[0], Deviation[0]);

    /// <summary>Throws where it is none for so many channels.</summary>
    internal void Check(int channels, string parameter)
    {
        if (Mean.Count != channels || Deviation.Count != channels)
            throw new ArgumentException($"The normalisation has {Mean.Count} means and {Deviation.Count} deviations for {channels} channels.", parameter);
        for (var channel = 0; channel < channels; channel++)
        {
            if (!(Deviation[channel] > 0 && double.IsFinite(Deviation[channel]) && float.IsFinite(ScaleOf(channel)) && float.IsFinite(ShiftOf(channel))))
                throw new ArgumentException("Means are finite, and deviations above 0.", parameter);
        }
    }

    private float ScaleOf(int channel) => (float)(1 / (255 * Deviation[channel]));

    private float ShiftOf(int channel) => (float)(-Mean[channel] / Deviation[channel]);

    private float[] OfChannels(Func<int, float> valueOf)
    {
        var values = new float[Channels];
        for (var channel = 0; channel < values.Length; channel++)
            values[channel] = valueOf(channel);
        return values;
    }
}
