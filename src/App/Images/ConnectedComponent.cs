namespace AutoencoderGpu.App.Images;

/// <summary>Bright pixels that hang together, corners included.</summary>
/// <param name="Pixels">Indices into the image's pixels.</param>
/// <param name="Left">The first column that has any of them.</param>
/// <param name="Top">The first row.</param>
/// <param name="Right">The column after the last.</param>
/// <param name="Bottom">The row after the last.</param>
internal sealed record ConnectedComponent(List<int> Pixels, int Left, int Top, int Right, int Bottom)
{
    /// <summary>The longer side of the box around it, in pixels.</summary>
    public int Size => Math.Max(Right - Left, Bottom - Top);

    /// <summary>Finds the blobs of an image.</summary>
    /// <param name="image">Any image.</param>
    /// <param name="least">The level from which a pixel is bright, at least 1.</param>
    /// <returns>Blobs by their first pixels, from top to bottom.</returns>
    public static List<ConnectedComponent> Of(GreyImage image, int least)
    {
        var blobs = new List<ConnectedComponent>();
        bool[] isFree = Array.ConvertAll(image.Pixels, pixel => pixel >= least);
        for (int i = 0; i < isFree.Length; i++)
            if (isFree[i])
                blobs.Add(Take(isFree, i, image.Width, image.Height));
        return blobs;
    }

    /// <summary>Two blobs, or more, as one.</summary>
    /// <param name="blobs">At least one.</param>
    public static ConnectedComponent Join(IReadOnlyCollection<ConnectedComponent> blobs) => new(
        [.. blobs.SelectMany(blob => blob.Pixels)],
        blobs.Min(blob => blob.Left),
        blobs.Min(blob => blob.Top),
        blobs.Max(blob => blob.Right),
        blobs.Max(blob => blob.Bottom));

    /// <summary>Whether it reaches the edge of an image.</summary>
    /// <param name="image">The image that it is of.</param>
    public bool Touches(GreyImage image) => Left == 0 || Top == 0 || Right == image.Width || Bottom == image.Height;

    /// <summary>How far the boxes around two blobs are apart.</summary>
    /// <param name="other">Another blob of the image.</param>
    /// <returns>Pixels between them along the axis where they are further apart; 0 or less if the boxes overlap.</returns>
    public int DistanceTo(ConnectedComponent other) => Math.Max(
        Math.Max(Left, other.Left) - Math.Min(Right, other.Right),
        Math.Max(Top, other.Top) - Math.Min(Bottom, other.Bottom));

    private static ConnectedComponent Take(bool[] isFree, int start, int width, int height)
    {
        // The list of what is found is also the queue of what is still to be looked around.
        List<int> found = [start];
        isFree[start] = false;
        int left = width, top = height, right = 0, bottom = 0;
        for (int next = 0; next < found.Count; next++)
        {
            (int y, int x) = Math.DivRem(found[next], width);
            (left, top, right, bottom) = (Math.Min(left, x), Math.Min(top, y), Math.Max(right, x + 1), Math.Max(bottom, y + 1));
            for (int v = Math.Max(y - 1, 0); v <= Math.Min(y + 1, height - 1); v++)
            {
                for (int u = Math.Max(x - 1, 0); u <= Math.Min(x + 1, width - 1); u++)
                {
                    int neighbour = v * width + u;
                    if (isFree[neighbour])
                    {
                        isFree[neighbour] = false;
                        found.Add(neighbour);
                    }
                }
            }
        }

        return new ConnectedComponent(found, left, top, right, bottom);
    }
}
