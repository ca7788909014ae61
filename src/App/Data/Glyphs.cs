using System.Globalization;

namespace AutoencoderGpu.App.Data;

/// <summary>A point in a digit's box: x to the right, y down, both about 0 to 1.</summary>
internal readonly record struct GlyphPoint(double X, double Y);

/// <summary>
/// Shapes of the ten digits: several ways to write each, every one a few strokes, every stroke the points that a smooth curve
/// passes through. Strokes meet, with a corner if need be, where they name the same point.
/// </summary>
internal static class Glyphs
{
    // Coordinates in hundredths of the box; '|' lifts the pen. A way that is common stands there more than once.
    private static readonly string[][] _notation =
    [
        [ // 0
            "54,2 30,9 14,40 20,78 47,98 77,84 87,47 76,12 52,3",
            "62,6 36,6 17,36 18,74 44,97 74,82 84,44 70,12 46,10",
            "50,0 24,20 20,62 42,98 72,88 82,50 72,14 50,0",
        ],
        [ // 1
            "50,0 50,50 50,100",
            "52,0 50,50 49,100",
            "34,20 54,0 | 54,0 53,50 52,100",
            "30,24 52,0 | 52,0 52,50 52,99 | 28,99 52,99 76,98",
        ],
        [ // 2
            "14,24 30,5 58,2 77,20 70,46 44,74 12,97 | 12,97 50,95 90,94",
            "14,20 38,2 68,8 74,32 56,62 28,90 10,88 22,74 48,84 70,96 92,90",
            "18,14 46,2 74,14 72,40 46,70 16,94 | 16,94 52,93 84,99",
        ],
        [ // 3
            "16,12 44,1 74,12 70,36 42,48 | 42,48 74,56 82,78 54,98 14,90",
            "18,8 52,2 76,18 62,40 38,47 | 38,47 70,52 82,72 66,94 36,99 14,84",
            "16,4 48,4 78,4 | 78,4 60,24 44,42 | 44,42 74,50 82,74 58,97 16,90",
        ],
        [ // 4
            "20,4 14,32 24,52 50,54 80,46 | 78,2 74,46 68,100",
            "22,2 16,30 18,50 | 18,50 50,53 88,48 | 72,4 68,50 66,100",
            "64,2 38,32 10,64 | 10,64 50,66 90,62 | 64,2 63,50 62,100",
        ],
        [ // 5
            "84,4 58,4 32,6 | 32,6 28,26 24,44 | 24,44 52,38 78,54 74,84 46,99 14,90",
            "34,6 28,26 26,44 | 26,44 56,40 78,58 72,86 44,99 16,90 | 34,6 60,6 86,2",
            "78,2 50,4 30,10 24,34 34,44 62,52 74,72 60,94 34,98 14,86",
        ],
        [ // 6
            "68,2 40,22 20,54 24,88 52,98 76,80 66,58 42,58 24,76",
            "56,0 32,28 20,62 30,94 58,96 74,76 60,60 38,64 25,82",
            "74,6 46,10 24,38 18,72 38,97 68,92 76,70 56,56 30,66 20,78",
        ],
        [ // 7
            "12,10 46,8 84,6 | 84,6 66,34 52,66 44,100",
            "14,22 16,8 48,8 82,6 | 82,6 68,36 56,66 50,100",
            "12,8 48,8 84,6 | 84,6 62,46 42,100 | 32,54 54,52 78,50",
        ],
        [ // 8
            "76,14 52,2 28,12 28,30 50,46 72,66 70,90 46,99 24,88 28,66 50,46 72,30 76,14",
            "72,8 42,4 28,22 46,44 68,64 70,88 46,99 26,84 34,62 60,38 74,18 70,7",
            "50,2 28,12 30,34 52,44 | 52,44 74,32 72,10 50,2 | 52,44 26,58 24,88 50,99 76,86 74,58 52,44",
        ],
        [ // 9
            "74,20 52,3 28,14 22,38 40,54 62,44 76,18 | 76,18 72,54 64,100",
            "76,16 48,4 26,26 34,50 58,46 76,16 | 76,16 78,54 66,88 42,99 22,88",
            "70,10 40,6 24,28 38,50 64,42 74,18 74,44 70,72 66,100",
        ],
    ];

    private static readonly GlyphPoint[][][][] _parsed =
        [.. _notation.Select(ways => ways.Select(Parse).ToArray())];

    /// <summary>The ways to write a digit, each its strokes' points.</summary>
    public static GlyphPoint[][][] Of(int digit) => _parsed[digit];

    private static GlyphPoint[][] Parse(string notation) =>
        [.. notation.Split('|').Select(stroke =>
            stroke.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(ParsePoint).ToArray())];

    private static GlyphPoint ParsePoint(string pair)
    {
        string[] xy = pair.Split(',');
        return new GlyphPoint(
            int.Parse(xy[0], CultureInfo.InvariantCulture) / 100.0, int.Parse(xy[1], CultureInfo.InvariantCulture) / 100.0);
    }
}
