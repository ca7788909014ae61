namespace AutoencoderGpu.App.Data;

/// <summary>A stop of the pen on its way, in pixels; the top left corner of the image is (0, 0).</summary>
/// <param name="X">To the right.</param>
/// <param name="Y">Down.</param>
/// <param name="Radius">Half the line's width.</param>
/// <param name="IsStart">True where a stroke begins: no line leads here.</param>
internal readonly record struct PenStop(double X, double Y, double Radius, bool IsStart);

/// <summary>Draws anti-aliased lines of varying width.</summary>
internal static class Pen
{
    /// <summary>Width of a line's edge in pixels: from full ink to none.</summary>
    public const double Edge = 1.3;

    /// <summary>Draws strokes onto an empty image; where they cross, the darker one counts.</summary>
    /// <param name="stops">At least one.</param>
    /// <param name="image">(size, size) bytes, overwritten: 0 background, 255 full ink.</param>
    /// <param name="size">Rows and columns.</param>
    public static void Draw(ReadOnlySpan<PenStop> stops, Span<byte> image, int size)
    {
        image.Clear();
        for (int i = 1; i < stops.Length; i++)
        {
            if (!stops[i].IsStart)
                DrawLine(stops[i - 1], stops[i], image, size);
        }
    }

    private static void DrawLine(in PenStop from, in PenStop to, Span<byte> image, int size)
    {
        double dx = to.X - from.X, dy = to.Y - from.Y;
        double squaredLength = dx * dx + dy * dy;
        double perSquaredLength = squaredLength > 0 ? 1 / squaredLength : 0;
        double reach = Math.Max(from.Radius, to.Radius) + Edge / 2;
        int left = Math.Max(0, (int)(Math.Min(from.X, to.X) - reach));
        int right = Math.Min(size - 1, (int)(Math.Max(from.X, to.X) + reach));
        int top = Math.Max(0, (int)(Math.Min(from.Y, to.Y) - reach));
        int bottom = Math.Min(size - 1, (int)(Math.Max(from.Y, to.Y) + reach));
        for (int y = top; y <= bottom; y++)
        {
            for (int x = left; x <= right; x++)
            {
                // From the line's start to the pixel's centre, and how far along the line that is, 0 to 1.
                double px = x + 0.5 - from.X, py = y + 0.5 - from.Y;
                double along = Math.Clamp((px * dx + py * dy) * perSquaredLength, 0, 1);
                double ex = px - along * dx, ey = py - along * dy;
                double squaredDistance = ex * ex + ey * ey;
                if (squaredDistance >= reach * reach)
                    continue;
                double radius = from.Radius + along * (to.Radius - from.Radius);
                double ink = Math.Clamp((radius - Math.Sqrt(squaredDistance)) / Edge + 0.5, 0, 1);
                ref byte pixel = ref image[y * size + x];
                pixel = Math.Max(pixel, (byte)(int)(ink * 255 + 0.5));
            }
        }
    }
}
