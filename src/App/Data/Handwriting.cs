using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Data;

/// <summary>
/// How one digit is written: its points shaken, its shape bent, slanted and turned. Basic arithmetic only, so that every machine
/// computes the same bits.
/// </summary>
internal readonly struct Handwriting
{
    // Standard deviations and ranges, chosen by eye for legible variety.
    private const double PointShake = 0.03;
    private const double QuadraticBend = 0.075;
    private const double CubicBend = 0.05;

    private readonly ulong _shakeKey;
    private readonly double _xFromX, _xFromY, _yFromX, _yFromY;
    private readonly double _xx, _xy, _yy, _xxx, _yyy, _vxx, _vxy, _vyy, _vxxx, _vyyy;

    /// <summary>Draws everything that varies.</summary>
    public Handwriting(ref SplitMix64 random)
    {
        _shakeKey = random.Next();
        double slant = 0.2 + 0.24 * random.Normal();
        double width = random.Uniform(0.62, 1.15);
        // Half the angle's tangent gives sine and cosine by division alone.
        double t = 0.07 * random.Normal();
        double cosine = (1 - t * t) / (1 + t * t), sine = 2 * t / (1 + t * t);
        (_xFromX, _xFromY) = (cosine * width, -cosine * slant - sine);
        (_yFromX, _yFromY) = (sine * width, cosine - sine * slant);

        (_xx, _xy, _yy) = (QuadraticBend * random.Normal(), QuadraticBend * random.Normal(), QuadraticBend * random.Normal());
        (_vxx, _vxy, _vyy) = (QuadraticBend * random.Normal(), QuadraticBend * random.Normal(), QuadraticBend * random.Normal());
        (_xxx, _yyy) = (CubicBend * random.Normal(), CubicBend * random.Normal());
        (_vxxx, _vyyy) = (CubicBend * random.Normal(), CubicBend * random.Normal());
    }

    /// <summary>Moves every point of a stroke a little. Strokes that meet in a point still do.</summary>
    /// <param name="stroke">The points.</param>
    /// <param name="shaken">As many points, overwritten.</param>
    public void Shake(ReadOnlySpan<GlyphPoint> stroke, Span<GlyphPoint> shaken)
    {
        for (int i = 0; i < stroke.Length; i++)
        {
            var (x, y) = stroke[i];
            // The numbers are drawn from the place itself, so equal points move equally.
            ulong place = (ulong)(x * 1024) << 32 | (ulong)(y * 1024);
            var random = new SplitMix64(SplitMix64.Combine(_shakeKey, place));
            shaken[i] = new GlyphPoint(x + PointShake * random.Normal(), y + PointShake * random.Normal());
        }
    }

    /// <summary>A point of a stroke's curve as it is written, in units of half the digit's height.</summary>
    /// <param name="stroke">At least two shaken points.</param>
    /// <param name="span">Between points <paramref name="span"/> and <paramref name="span"/> + 1.</param>
    /// <param name="t">How far within the span, 0 to 1.</param>
    public (double X, double Y) Write(ReadOnlySpan<GlyphPoint> stroke, int span, double t)
    {
        // Catmull-Rom: the curve passes through its points; the ends count twice.
        int last = stroke.Length - 1;
        var before = stroke[Math.Max(span - 1, 0)];
        var from = stroke[span];
        var to = stroke[Math.Min(span + 1, last)];
        var after = stroke[Math.Min(span + 2, last)];
        return Bend(
            2 * CatmullRom(before.X, from.X, to.X, after.X, t) - 1,
            2 * CatmullRom(before.Y, from.Y, to.Y, after.Y, t) - 1);
    }

    // A smooth deformation of the whole box, then slant, width and rotation.
    private (double X, double Y) Bend(double x, double y)
    {
        double bentX = x + _xx * x * x + _xy * x * y + _yy * y * y + _xxx * x * x * x + _yyy * y * y * y;
        double bentY = y + _vxx * x * x + _vxy * x * y + _vyy * y * y + _vxxx * x * x * x + _vyyy * y * y * y;
        return (_xFromX * bentX + _xFromY * bentY, _yFromX * bentX + _yFromY * bentY);
    }

    private static double CatmullRom(double before, double from, double to, double after, double t) =>
        0.5 * (2 * from + t * (to - before + t * (2 * before - 5 * from + 4 * to - after
            + t * (3 * (from - to) + after - before))));
}
