namespace AutoencoderGpu.Kernels;

/// <summary>
/// A slice of the arena that holds one value a channel and pixel for every image of a mini-batch: (B, H, W, C), row-major,
/// channels last, so that a pixel's channels and a row's pixels are contiguous.
/// </summary>
/// <param name="Offset">Where the slice begins in the arena, in floats.</param>
/// <param name="Height">Rows, H.</param>
/// <param name="Width">Columns, W.</param>
/// <param name="Channels">Channels, C. 0 stands for no map at all.</param>
/// <param name="Border">
/// Pixels of zeros kept around every image, 0 or 1. A padded 3×3 convolution reads a map with a border of 1 without asking
/// where the image ends. The arena begins as zeros and operations write inner pixels only, so a border stays zero.
/// </param>
public readonly record struct FeatureMap(int Offset, int Height, int Width, int Channels, int Border)
{
    /// <summary>A map of N values an image without a spatial shape, (B, N).</summary>
    public static FeatureMap Flat(int offset, int size) => new(offset, 1, 1, size, 0);

    /// <summary>Whether this stands for a map that is not there.</summary>
    public bool IsNone => Channels == 0;

    /// <summary>Inner values of one image, H·W·C.</summary>
    public int Size => Height * Width * Channels;

    /// <summary>Floats from one row to the next, borders included.</summary>
    public int RowStride => (Width + 2 * Border) * Channels;

    /// <summary>Floats from one image to the next, borders included.</summary>
    public int ImageStride => (Height + 2 * Border) * RowStride;

    /// <summary>Arena index of channel 0 of the pixel (y, x) of an image; −1 and H or W reach into the border.</summary>
    public int At(int image, int y, int x) =>
        Offset + image * ImageStride + (y + Border) * RowStride + (x + Border) * Channels;

    /// <summary>Arena index of channel 0 of pixel <paramref name="pixel"/> of the mini-batch, counted row-major over (B, H, W).</summary>
    public int AtPixel(int pixel) => AtPixelOf(this, pixel);

    /// <summary>As <see cref="AtPixel"/>, counted in another map of this height and width: what divides once for both.</summary>
    internal int AtPixelOf(FeatureMap other, int pixel)
    {
        var row = pixel / other.Width;
        var image = row / other.Height;
        return At(image, row - image * other.Height, pixel - row * other.Width);
    }

    /// <summary>Whether the other map has the same height, width and channels.</summary>
    public bool HasShapeOf(FeatureMap other) =>
        Height == other.Height && Width == other.Width && Channels == other.Channels;

    /// <inheritdoc/>
    public override string ToString() => IsNone ? "none" : $"{Height}×{Width}×{Channels}" + (Border > 0 ? " bordered" : "");
}
