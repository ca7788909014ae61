using System.Globalization;

namespace AutoencoderGpu.Models;

/// <summary>The shape of an image or a map.</summary>
/// <param name="Height">Rows, H.</param>
/// <param name="Width">Columns, W.</param>
/// <param name="Channels">Channels, C.</param>
public readonly record struct Shape(int Height, int Width, int Channels)
{
    /// <summary>Values, H·W·C.</summary>
    public int Size => checked(Height * Width * Channels);

    /// <summary>Whether there are no pixels, only values.</summary>
    public bool IsFlat => Height == 1 && Width == 1;

    /// <summary>N values without pixels.</summary>
    public static Shape Flat(int size) => new(1, 1, size);

    /// <summary>As people write it, H×W×C.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(IsFlat ? "" : $"{Height}×{Width}×")}{Channels}");

    /// <summary>Throws where a side is not positive or all of them together are too many.</summary>
    internal void Check(string parameter)
    {
        if (Height < 1 || Width < 1 || Channels < 1 || (long)Height * Width * Channels > 1 << 28)
            throw new ArgumentException($"There are no images of {Height}×{Width}×{Channels} values.", parameter);
    }
}
