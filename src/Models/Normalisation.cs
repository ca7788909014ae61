namespace AutoencoderGpu.Models;

/// <summary>The reference's normalisation: a byte becomes (byte / 255 − mean) / deviation, with the statistics of MNIST.</summary>
public static class Normalisation
{
    /// <summary>Mean of MNIST's training pixels, in 0 to 1.</summary>
    public const double Mean = 0.1307;

    /// <summary>Standard deviation of MNIST's training pixels.</summary>
    public const double Deviation = 0.3081;

    /// <summary>The normalised value of a byte.</summary>
    public static double Of(byte value) => (value / 255.0 - Mean) / Deviation;
}
