namespace AutoencoderGpu.App.Data;

/// <summary>
/// How bytes become what the models see: (byte / 255 − <see cref="Mean"/>) / <see cref="StandardDeviation"/>,
/// both taken over MNIST's training pixels.
/// </summary>
public static class Normalisation
{
    /// <summary>Mean of byte / 255.</summary>
    public const double Mean = 0.1307;

    /// <summary>Standard deviation of byte / 255.</summary>
    public const double StandardDeviation = 0.3081;

    /// <summary>The normalised value of a pixel.</summary>
    public static double Normalise(byte pixel) => (pixel / 255.0 - Mean) / StandardDeviation;
}
