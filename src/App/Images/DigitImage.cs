namespace AutoencoderGpu.App.Images;

/// <summary>
/// Makes of a picture of a digit an image as MNIST's: 28×28, white on black, the digit in a box of 20×20, its centre of mass in the
/// middle.
/// </summary>
/// <remarks>
/// Scale and position are those of MNIST's authors (http://yann.lecun.com/exdb/mnist): proportions are kept, and the box is moved
/// by whole pixels. What is paper and what is ink is found in the picture: paper is what most of the border is, compared with its
/// surroundings; shadows are divided away; ink is the darker of two classes of grey levels, soft edges included. There should be
/// one digit in the picture, and more paper than ink along its border. Ruled lines as dark as the ink count as ink.
/// </remarks>
public static class DigitImage
{
    private const int Side = 28;
    private const int Box = 20;

    // Where MNIST's centres of mass are: in the middle of pixel 14, counted from 0, of either axis.
    private const double Middle = 14.5;

    // A digit a tenth as high as the picture still has two pixels for each of the box's.
    private const int WorkingSide = 400;

    // Lighting varies on a larger scale than strokes. It is followed on a small copy, where a stroke of up to a third of the
    // picture's longer side disappears in squares of this radius.
    private const int LightingSide = 100;
    private const int LightingRadius = 16;

    // What even paper becomes, so that neither side of its noise is cut off.
    private const int Paper = 204;

    // Darker pictures than this are not brightened: their noise would be.
    private const int DarkestPaper = 32;

    // Ink is this much darker than even paper; a pencil's is about 40 darker, a stain's less than 10.
    private const int LeastContrast = 20;

    // One pixel in so many may be darker than ink is.
    private const int DarkestShare = 5000;

    // Of white noise, neighbours differ as much as any two pixels, of a drawing much less.
    private const double MostNoise = 0.6;

    // The level from which a pixel belongs to the digit, and the share of its pixels that a part apart from it has unless
    // it is dirt.
    private const int LeastInk = 64;
    private const double LeastPart = 0.04;

    // MNIST's strokes are two to four pixels wide.
    private const double LeastStroke = 2;

    /// <summary>Prepares a picture. One of 28×28 pixels, light on dark, is in MNIST's own format and stays as it is.</summary>
    /// <param name="picture">A digit, dark on light or light on dark, of any size.</param>
    /// <returns>(28, 28) bytes, row-major; null where no digit is found: all one grey, all noise, or too faint.</returns>
    public static byte[]? Prepare(GreyImage picture)
    {
        GreyImage work = picture.ShrinkTo(WorkingSide);
        bool isLightOnDark = IsLightOnDark(work);
        if (isLightOnDark && (picture.Width, picture.Height) == (Side, Side))
            return picture.Pixels;

        GreyImage even = WithoutShadows(isLightOnDark ? Inverted(work) : work);
        if (Stretched(even) is not { } ink || FindDigit(ink) is not { } digit)
            return null;

        double scale = (double)digit.Size / Box;
        GreyImage clean = Only(ink, digit, reach: (int)Math.Ceiling(scale));
        int thicker = Math.Max(0, (int)Math.Round((LeastStroke * scale - StrokeWidth(clean)) / 2));
        int side = digit.Size + 2 * thicker;
        GreyImage square = clean.Cut((digit.Left + digit.Right - side) / 2, (digit.Top + digit.Bottom - side) / 2, side, side);
        return Centered(square.Brightest(thicker).ToSquare(Box));
    }

    private static GreyImage Inverted(GreyImage image) => image.Map(level => (byte)(255 - level));

    // Paper is what most of the border is. What is lighter or darker is told after the difference to the surroundings, so that
    // a border in the shade is not taken for a dark one.
    private static bool IsLightOnDark(GreyImage picture)
    {
        GreyImage small = picture.ShrinkTo(LightingSide);
        GreyImage around = small.ShrinkTo(2).Resize(small.Width, small.Height);
        var even = small with { Pixels = [.. small.Pixels.Zip(around.Pixels, (p, a) => (byte)((255 + p - a) / 2))] };
        int threshold = (even.Pixels.Min() + even.Pixels.Max()) / 2;
        int light = 0, dark = 0;
        for (int y = 0; y < even.Height; y++)
            for (int x = 0; x < even.Width; x++)
                if (x == 0 || y == 0 || x == even.Width - 1 || y == even.Height - 1)
                    _ = even[x, y] < threshold ? dark++ : light++;
        return dark > light;
    }

    // Reflected light is the paper's or the ink's share of the light that falls there: a quotient evens it out. The light is seen
    // on the paper, which is brightest; shrinking the bright parts again gives the edges of shadows their places back.
    private static GreyImage WithoutShadows(GreyImage picture)
    {
        GreyImage light = Inverted(Inverted(picture.ShrinkTo(LightingSide).Brightest(LightingRadius)).Brightest(LightingRadius))
            .Resize(picture.Width, picture.Height);
        return picture with
        {
            Pixels = [.. picture.Pixels.Zip(light.Pixels, (p, l) => (byte)Math.Min(255, Paper * p / Math.Max((int)l, DarkestPaper)))],
        };
    }

    // Ink becomes 255 and paper with its noise 0; null if there are not two such classes.
    private static GreyImage? Stretched(GreyImage even)
    {
        if (Roughness(even) > MostNoise)
            return null;

        // Paper's level is known, so half of the contrast separates the two; Otsu's criterion would split the paper where there is
        // little ink. The darkest pixels are left out: a dead one is no ink.
        int[] darkToLight = [.. even.Pixels.Order().Select(level => (int)level)];
        int threshold = (darkToLight[darkToLight.Length / DarkestShare] + Paper) / 2;
        int ink = darkToLight.Count(level => level <= threshold);
        if (ink == 0 || ink == even.Pixels.Length)
            return null;

        int full = darkToLight[ink / 4];
        int median = darkToLight[ink + (even.Pixels.Length - ink) / 2];
        // Noise is measured on the lighter side, where there are no edges of strokes.
        int noise = darkToLight[ink + (even.Pixels.Length - ink) * 5 / 6] - median;
        int paper = Math.Max(median - 2 * noise, threshold);
        return median - full < LeastContrast
            ? null
            : even.Map(level => (byte)Math.Clamp(255 * (paper - level) / Math.Max(1, paper - full), 0, 255));
    }

    // Von Neumann's ratio: half the mean square of differences of neighbours over the variance. 1 for white noise.
    private static double Roughness(GreyImage image)
    {
        double mean = image.Pixels.Average(level => (double)level);
        double variance = image.Pixels.Average(level => (level - mean) * (level - mean));
        double squares = 0;
        int pairs = 0;
        for (int y = 0; y < image.Height; y++)
        {
            for (int x = 0; x < image.Width; x++)
            {
                if (x > 0)
                    Add(image[x, y] - image[x - 1, y]);
                if (y > 0)
                    Add(image[x, y] - image[x, y - 1]);
            }
        }

        return variance == 0 ? 0 : squares / pairs / 2 / variance;

        void Add(int difference)
        {
            squares += difference * difference;
            pairs++;
        }
    }

    // The digit is what has most ink near the middle, so that the edge of the paper is not taken for it. Parts that are not
    // connected with it belong to it if they are large and near, and do not touch the border unless the digit does.
    private static ConnectedComponent? FindDigit(GreyImage ink)
    {
        List<ConnectedComponent> blobs = ConnectedComponent.Of(ink, LeastInk);
        if (blobs.Count == 0)
            return null;

        ConnectedComponent digit = blobs.MaxBy(blob => blob.Pixels.Sum(NearMiddle))!;
        return ConnectedComponent.Join([.. blobs.Where(blob => blob == digit
            || (blob.Pixels.Count >= LeastPart * digit.Pixels.Count
                && blob.DistanceTo(digit) < digit.Size / 4
                && (digit.Touches(ink) || !blob.Touches(ink))))]);

        double NearMiddle(int pixel)
        {
            (int y, int x) = Math.DivRem(pixel, ink.Width);
            return (x + 0.5) * (ink.Width - x - 0.5) * (y + 0.5) * (ink.Height - y - 0.5);
        }
    }

    // Black but for a blob and the soft edge around it.
    private static GreyImage Only(GreyImage ink, ConnectedComponent blob, int reach)
    {
        var mask = ink with { Pixels = new byte[ink.Pixels.Length] };
        foreach (int pixel in blob.Pixels)
            mask.Pixels[pixel] = 255;
        return ink with { Pixels = [.. ink.Pixels.Zip(mask.Brightest(reach).Pixels, Math.Min)] };
    }

    // A stroke's area is its length times its width, and its outline is twice its length. Steps along rows and columns make an
    // outline longer than it is, by 4/π on average over its directions.
    private static double StrokeWidth(GreyImage ink)
    {
        int steps = 0;
        for (int y = 1; y < ink.Height; y++)
            for (int x = 1; x < ink.Width; x++)
                steps += (IsInk(x, y) != IsInk(x - 1, y) ? 1 : 0) + (IsInk(x, y) != IsInk(x, y - 1) ? 1 : 0);
        double area = ink.Pixels.Sum(level => (double)level) / 255;
        return 2 * area / Math.Max(1, steps * Math.PI / 4);

        bool IsInk(int x, int y) => ink[x, y] >= 128;
    }

    // The box in black, moved by whole pixels, its centre of mass as near to the middle as these allow.
    private static byte[] Centered(byte[] box)
    {
        double mass = box.Sum(level => (double)level);
        double x = box.Select((level, i) => level * (i % Box + 0.5)).Sum() / mass;
        double y = box.Select((level, i) => level * (i / Box + 0.5)).Sum() / mass;
        int left = Math.Clamp((int)Math.Round(Middle - x), 0, Side - Box);
        int top = Math.Clamp((int)Math.Round(Middle - y), 0, Side - Box);
        var result = new byte[Side * Side];
        for (int row = 0; row < Box; row++)
            box.AsSpan(row * Box, Box).CopyTo(result.AsSpan((top + row) * Side + left));
        return result;
    }
}
