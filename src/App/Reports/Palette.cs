namespace AutoencoderGpu.App.Reports;

/// <summary>Colours of curves, 0xRRGGBB, which stay apart for every kind of colour vision.</summary>
internal static class Palette
{
    // Okabe and Ito's colours, and those of Paul Tol's muted scheme that look like none of them.
    private static readonly uint[] _colours =
        [0xD55E00, 0x0072B2, 0x009E73, 0xCC79A7, 0xE69F00, 0x56B4E9, 0x882255, 0x999933, 0x332288, 0x661100];

    /// <summary>The colour of the n-th curve, from 0; after ten, they repeat.</summary>
    public static uint Of(int index) => _colours[index % _colours.Length];

    /// <summary>A colour mixed with a quarter of white.</summary>
    public static uint Lighter(uint colour) =>
        Lighter(colour, 16) | Lighter(colour, 8) | Lighter(colour, 0);

    private static uint Lighter(uint colour, int shift) => ((colour >> shift & 0xFF) * 3 + 0xFF + 2) / 4 << shift;
}
