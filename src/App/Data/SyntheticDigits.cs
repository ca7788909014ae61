using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Data;

/// <summary>
/// Digits drawn by the program, for machines without MNIST: 28×28, white on black, within the central 20×20 box where their
/// shape allows it, centred by mass, with about MNIST's mean and standard deviation. An image depends on the seed and its index
/// alone, bit for bit on every machine, so a shorter set is the beginning of a longer one. Any ten images from a multiple of
/// ten on hold every digit once.
/// </summary>
public static class SyntheticDigits
{
    /// <summary>As in <c>--dataset</c>.</summary>
    public const string Name = "synthetic";

    /// <summary>Where they come from, for people.</summary>
    public const string Origin = "built in";

    /// <summary>Training images, as in MNIST.</summary>
    public const int TrainCount = 60_000;

    /// <summary>Test images, as in MNIST.</summary>
    public const int TestCount = 10_000;

    private const int Size = 28;
    private const double BoxSize = 20;
    private const int StopsPerSpan = 4;
    private const int MaximumPoints = 16;
    private const int MaximumStops = 80;

    /// <summary>Draws a data set.</summary>
    /// <param name="seed">Another seed, other images.</param>
    /// <param name="trainLimit">At most so many training images.</param>
    /// <param name="testLimit">At most so many test images.</param>
    public static DataSet Generate(ulong seed, int? trainLimit = null, int? testLimit = null) => new(Name, Origin,
        Draw(SplitMix64.Combine(seed, 0), Math.Min(trainLimit ?? TrainCount, TrainCount)),
        Draw(SplitMix64.Combine(seed, 1), Math.Min(testLimit ?? TestCount, TestCount)))
    {
        // They stand in for MNIST, so they are normalised alike.
        Normalisation = Normalisation.Mnist,
    };

    private static ImageSet Draw(ulong key, int count)
    {
        byte[] pixels = new byte[count * Size * Size];
        byte[] labels = new byte[count];
        Parallel.For(0, count, index =>
        {
            labels[index] = Label(key, index);
            var random = new SplitMix64(SplitMix64.Combine(key, (ulong)index));
            DrawDigit(labels[index], ref random, pixels.AsSpan(index * Size * Size, Size * Size));
        });
        return new ImageSet(pixels, labels, Size, Size);
    }

    /// <summary>Every ten labels are a shuffle of 0 to 9.</summary>
    private static byte Label(ulong key, int index)
    {
        var random = new SplitMix64(SplitMix64.Combine(~key, (ulong)(index / 10)));
        Span<byte> digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        for (int i = digits.Length - 1; i > 0; i--)
        {
            int j = random.Next(i + 1);
            (digits[i], digits[j]) = (digits[j], digits[i]);
        }
        return digits[index % 10];
    }

    private static void DrawDigit(int digit, ref SplitMix64 random, Span<byte> image)
    {
        var ways = Glyphs.Of(digit);
        var strokes = ways[random.Next(ways.Length)];
        double radius = Math.Clamp(1.3 + 0.34 * random.Normal(), 0.7, 2.2);
        var hand = new Handwriting(ref random);

        Span<PenStop> stops = stackalloc PenStop[MaximumStops];
        Span<GlyphPoint> points = stackalloc GlyphPoint[MaximumPoints];
        int count = 0;
        foreach (var stroke in strokes)
        {
            hand.Shake(stroke, points);
            double taper = 0.15 * random.Normal();
            int last = (stroke.Length - 1) * StopsPerSpan;
            for (int i = 0; i <= last; i++)
            {
                var (x, y) = hand.Write(points[..stroke.Length], i / StopsPerSpan, (double)(i % StopsPerSpan) / StopsPerSpan);
                stops[count++] = new PenStop(x, y, radius * (1 + taper * ((double)i / last - 0.5)), IsStart: i == 0);
            }
        }
        stops = stops[..count];
        Place(stops, BoxSize * random.Uniform(0.93, 1), radius);
        Pen.Draw(stops, image, Size);
    }

    /// <summary>Scales strokes to a box and moves their mass to the middle of the image, as MNIST was made.</summary>
    private static void Place(Span<PenStop> stops, double boxSize, double radius)
    {
        double left = double.MaxValue, right = double.MinValue, top = double.MaxValue, bottom = double.MinValue;
        double mass = 0, massX = 0, massY = 0;
        for (int i = 0; i < stops.Length; i++)
        {
            var stop = stops[i];
            (left, right) = (Math.Min(left, stop.X), Math.Max(right, stop.X));
            (top, bottom) = (Math.Min(top, stop.Y), Math.Max(bottom, stop.Y));
            if (stop.IsStart)
                continue;
            double dx = stop.X - stops[i - 1].X, dy = stop.Y - stops[i - 1].Y;
            double length = Math.Sqrt(dx * dx + dy * dy);
            mass += length;
            massX += length * (stop.X + stops[i - 1].X) / 2;
            massY += length * (stop.Y + stops[i - 1].Y) / 2;
        }

        double scale = (boxSize - 2 * radius) / Math.Max(right - left, bottom - top);
        double middleX = massX / mass, middleY = massY / mass;
        for (int i = 0; i < stops.Length; i++)
        {
            stops[i] = stops[i] with
            {
                X = Size / 2.0 + scale * (stops[i].X - middleX),
                Y = Size / 2.0 + scale * (stops[i].Y - middleY),
            };
        }
    }
}
