using ScottPlot;

namespace AutoencoderGpu.Benchmarks.Plot;

/// <summary>Finds places for short labels beside dots, in pixels, where they cover neither a dot nor one another.</summary>
internal static class Labels
{
    private const int Directions = 24;
    private const float FirstDistance = 6, DistanceStep = 7;
    private const int DistanceSteps = 24;

    /// <summary>The middles of the labels.</summary>
    /// <param name="dots">Middles of the dots.</param>
    /// <param name="radii">Of the dots.</param>
    /// <param name="width">Of every label.</param>
    /// <param name="height">Of every label.</param>
    /// <param name="area">In which the labels must lie.</param>
    public static Pixel[] Place(IReadOnlyList<Pixel> dots, IReadOnlyList<float> radii, float width, float height, PixelRect area)
    {
        var places = new Pixel[dots.Count];
        var taken = new List<Pixel>();
        // Those in a crowd come first: they have the least choice.
        foreach (var index in Enumerable.Range(0, dots.Count).OrderByDescending(index => Neighbours(dots, index)))
        {
            places[index] = Candidates(dots[index], radii[index], width, height).FirstOrDefault(
                place => IsFree(place, dots, radii, taken, width, height, area), dots[index]);
            taken.Add(places[index]);
        }

        return places;
    }

    private static int Neighbours(IReadOnlyList<Pixel> dots, int index) =>
        dots.Count(dot => MathF.Abs(dot.X - dots[index].X) + MathF.Abs(dot.Y - dots[index].Y) < 80);

    private static IEnumerable<Pixel> Candidates(Pixel dot, float radius, float width, float height) =>
        from step in Enumerable.Range(0, DistanceSteps)
        from direction in Enumerable.Range(0, Directions)
        let distance = radius + FirstDistance + DistanceStep * step
        let angle = 2 * MathF.PI * direction / Directions
        select new Pixel(dot.X + (distance + width / 2) * MathF.Cos(angle), dot.Y - (distance + height / 2) * MathF.Sin(angle));

    private static bool IsFree(
        Pixel place,
        IReadOnlyList<Pixel> dots,
        IReadOnlyList<float> radii,
        List<Pixel> taken,
        float width,
        float height,
        PixelRect area)
    {
        if (place.X - width / 2 < area.Left || place.X + width / 2 > area.Right || place.Y - height / 2 < area.Top || place.Y + height / 2 > area.Bottom)
            return false;
        if (taken.Any(other => MathF.Abs(other.X - place.X) < width && MathF.Abs(other.Y - place.Y) < height))
            return false;
        return !dots.Where((dot, index) =>
            MathF.Abs(dot.X - place.X) < width / 2 + radii[index] && MathF.Abs(dot.Y - place.Y) < height / 2 + radii[index]).Any();
    }
}
