namespace AutoencoderGpu.App.Images;

/// <summary>A grey image of any size.</summary>
/// <param name="Pixels">(Height, Width) bytes, row-major; 0 is black.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
public sealed record GreyImage(byte[] Pixels, int Width, int Height)
{
    /// <summary>The pixel at a place.</summary>
    /// <param name="x">Column, 0 to <see cref="Width"/> − 1.</param>
    /// <param name="y">Row, 0 to <see cref="Height"/> − 1.</param>
    public byte this[int x, int y] => Pixels[y * Width + x];

    /// <summary>The image with each grey level replaced by another one.</summary>
    /// <param name="level">From old level to new one.</param>
    public GreyImage Map(Func<byte, byte> level)
    {
        byte[] levels = [.. Enumerable.Range(0, 256).Select(old => level((byte)old))];
        return this with { Pixels = Array.ConvertAll(Pixels, pixel => levels[pixel]) };
    }

    /// <summary>
    /// Scales the image into a square. Its proportions stay: the short sides are continued by repeating the image's edge.
    /// </summary>
    /// <remarks>Shrinking averages all pixels and enlarging is bilinear. An image that has the size already comes back unchanged.</remarks>
    /// <param name="size">Rows and columns of the square.</param>
    /// <returns>(<paramref name="size"/>, <paramref name="size"/>) bytes, row-major.</returns>
    public byte[] ToSquare(int size)
    {
        int side = Math.Max(Width, Height);
        return Sample(Weights(side, Width, size), Weights(side, Height, size)).Pixels;
    }

    /// <summary>Scales the image as <see cref="ToSquare"/> does, each side by itself.</summary>
    /// <param name="width">New columns, at least 1.</param>
    /// <param name="height">New rows, at least 1.</param>
    public GreyImage Resize(int width, int height) => Sample(Weights(Width, Width, width), Weights(Height, Height, height));

    /// <summary>Shrinks the image, its proportions kept; one that is not larger comes back as it is.</summary>
    /// <param name="longest">Pixels that the longer side has at most.</param>
    public GreyImage ShrinkTo(int longest)
    {
        double scale = (double)longest / Math.Max(Width, Height);
        return scale >= 1 ? this : Resize(Scaled(Width), Scaled(Height));

        int Scaled(int length) => Math.Max(1, (int)Math.Round(length * scale));
    }

    /// <summary>A part of the image, black where it goes beyond.</summary>
    /// <param name="left">Its first column, which may be negative.</param>
    /// <param name="top">Its first row, which may be negative.</param>
    /// <param name="width">Its columns.</param>
    /// <param name="height">Its rows.</param>
    public GreyImage Cut(int left, int top, int width, int height)
    {
        var result = new byte[width * height];
        for (int y = Math.Max(top, 0); y < Math.Min(top + height, Height); y++)
            for (int x = Math.Max(left, 0); x < Math.Min(left + width, Width); x++)
                result[(y - top) * width + x - left] = this[x, y];
        return new GreyImage(result, width, height);
    }

    /// <summary>The brightest pixel of the square around each pixel: light parts grow, dark ones shrink.</summary>
    /// <param name="radius">Pixels from the square's centre to its sides; what is outside the image does not count.</param>
    public GreyImage Brightest(int radius)
    {
        // A square's maximum is the maximum of its rows' maxima; turning the image twice puts both on contiguous pixels.
        return radius < 1 ? this : BrightestOfRows(radius).Transpose().BrightestOfRows(radius).Transpose();
    }

    private GreyImage BrightestOfRows(int radius)
    {
        var result = new byte[Pixels.Length];
        for (int y = 0; y < Height; y++)
        {
            ReadOnlySpan<byte> row = Pixels.AsSpan(y * Width, Width);
            for (int x = 0; x < Width; x++)
            {
                byte brightest = 0;
                foreach (byte pixel in row[Math.Max(x - radius, 0)..Math.Min(x + radius + 1, Width)])
                    brightest = Math.Max(brightest, pixel);
                result[y * Width + x] = brightest;
            }
        }

        return this with { Pixels = result };
    }

    private GreyImage Transpose()
    {
        var result = new byte[Pixels.Length];
        for (int y = 0; y < Height; y++)
            for (int x = 0; x < Width; x++)
                result[x * Height + y] = Pixels[y * Width + x];
        return new GreyImage(result, Height, Width);
    }

    private GreyImage Sample(List<(int Source, float Weight)>[] columns, List<(int Source, float Weight)>[] rows)
    {
        // Columns first, then rows.
        int width = columns.Length, height = rows.Length;
        var narrow = new float[Height * width];
        for (int y = 0; y < Height; y++)
            for (int x = 0; x < width; x++)
                foreach ((int source, float weight) in columns[x])
                    narrow[y * width + x] += weight * Pixels[y * Width + source];

        var result = new byte[width * height];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                float sum = 0;
                foreach ((int source, float weight) in rows[y])
                    sum += weight * narrow[source * width + x];
                result[y * width + x] = (byte)MathF.Round(sum);
            }
        }

        return new GreyImage(result, width, height);
    }

    // For each of `size` outputs along one axis, which inputs it averages and with what weights (their sum is 1). The axis is
    // `side` long, its middle `length` pixels are the image, and what is outside takes the nearest pixel of it. An output weighs
    // inputs by what it covers of them; one that is smaller than an input counts as large, which makes enlarging bilinear.
    private static List<(int Source, float Weight)>[] Weights(int side, int length, int size)
    {
        double scale = (double)side / size;
        double extent = Math.Max(scale, 1);
        int margin = (side - length) / 2;
        var result = new List<(int, float)>[size];
        for (int i = 0; i < size; i++)
        {
            double from = (i + 0.5) * scale - extent / 2, to = from + extent;
            int first = (int)Math.Floor(from);
            result[i] = Enumerable.Range(first, (int)Math.Ceiling(to) - first)
                .Select(j => (
                    Source: Math.Clamp(j - margin, 0, length - 1),
                    Weight: (float)((Math.Min(to, j + 1) - Math.Max(from, j)) / extent)))
                .Where(w => w.Weight > 0)
                // What is outside comes together in one, or a long and narrow image would take for ever.
                .GroupBy(w => w.Source, (source, parts) => (Source: source, Weight: parts.Sum(part => part.Weight)))
                .ToList();
        }

        return result;
    }
}
