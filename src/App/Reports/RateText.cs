using System.Globalization;

namespace AutoencoderGpu.App.Reports;

/// <summary>Learning rates as text: as people write them where that is the whole number, else with an exponent.</summary>
internal static class RateText
{
    /// <summary>Different texts for different rates.</summary>
    public static string Of(double rate)
    {
        var text = rate.ToString("0.0######", CultureInfo.InvariantCulture);
        return double.Parse(text, CultureInfo.InvariantCulture) == rate ? text : rate.ToString("R", CultureInfo.InvariantCulture);
    }
}
