namespace AutoencoderGpu.App.Reports;

/// <summary>A grey image of any size.</summary>
/// <param name="Pixels">(Height, Width) bytes, row-major; 0 is black.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
public sealed record GreyImage(byte[] Pixels, int Width, int Height)
{
    /// <summary>
    /// Scales the image into a square. Its proportions stay: the short sides are continued by repeating the image's edge.
    /// </summary>
    /// <remarks>
    /// The filter is a triangle, one output pixel wide on each side, so that shrinking averages all pixels and enlarging is
    /// bilinear. An image that has the size already comes back unchanged.
    /// </remarks>
    /// <param name="size">Rows and columns of the square.</param>
    /// <returns>(<paramref name="size"/>, <paramref name="size"/>) bytes, row-major.</returns>
    public byte[] ToSquare(int size)
    {
        int side = Math.Max(Width, Height);
        List<(int Source, float Weight)>[] columns = Weights(side, Width, size);
        List<(int Source, float Weight)>[] rows = Weights(side, Height, size);

        // Columns first, then rows.
        var narrow = new float[Height * size];
        for (int y = 0; y < Height; y++)
            for (int x = 0; x < size; x++)
                foreach ((int source, float weight) in columns[x])
                    narrow[y * size + x] += weight * Pixels[y * Width + source];

        var result = new byte[size * size];
        for (int y = 0; y < size; y++)
        {
            for (int x = 0; x < size; x++)
            {
                float sum = 0;
                foreach ((int source, float weight) in rows[y])
                    sum += weight * narrow[source * size + x];
                result[y * size + x] = (byte)MathF.Round(sum);
            }
        }

        return result;
    }

    // For each of `size` outputs along one axis, which inputs it averages and with what weights (their sum is 1). The axis is
    // `side` long, its middle `length` pixels are the image, and what is outside takes the nearest pixel of it.
    private static List<(int Source, float Weight)>[] Weights(int side, int length, int size)
    {
        double scale = (double)side / size;
        double reach = Math.Max(scale, 1);
        int margin = (side - length) / 2;
        var result = new List<(int, float)>[size];
        for (int i = 0; i < size; i++)
        {
            double centre = (i + 0.5) * scale;
            int first = (int)Math.Floor(centre - reach), last = (int)Math.Ceiling(centre + reach);
            var weights = Enumerable.Range(first, last - first + 1)
                .Select(j => (Source: j, Weight: 1 - Math.Abs(j + 0.5 - centre) / reach))
                .Where(w => w.Weight > 0)
                .ToList();
            double sum = weights.Sum(w => w.Weight);
            result[i] = weights.ConvertAll(w => (Math.Clamp(w.Source - margin, 0, length - 1), (float)(w.Weight / sum)));
        }

        return result;
    }
}
