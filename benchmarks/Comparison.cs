using System.Diagnostics;
using System.Globalization;
using AutoencoderGpu.Benchmarks.Sides;

namespace AutoencoderGpu.Benchmarks;

/// <summary>A block of each side, one straight after the other.</summary>
/// <param name="Own">Microseconds of a unit of work of this program.</param>
/// <param name="Torch">Microseconds of a unit of work of libtorch.</param>
/// <param name="Others">The share of the processors that went to anything else meanwhile.</param>
internal sealed record Pair(double Own, double Torch, double Others)
{
    /// <summary>How many times as fast as libtorch.</summary>
    public double Ratio => Torch / Own;
}

/// <summary>A case measured once.</summary>
/// <param name="Case">What.</param>
/// <param name="Own">This program's side, for people.</param>
/// <param name="Torch">libtorch's side, for people.</param>
/// <param name="Pairs">In the order of time.</param>
/// <param name="LossDifference">The greatest relative difference of the two sides' losses from the same initial values.</param>
internal sealed record Comparison(Case Case, string Own, string Torch, IReadOnlyList<Pair> Pairs, double LossDifference)
{
    /// <summary>Mini-batches whose losses are compared.</summary>
    private const int ComparedSteps = 20;

    /// <summary>Beyond this the sides do not compute the same.</summary>
    private const double Tolerance = 1e-3;

    /// <summary>A comparison during which others had more says nothing.</summary>
    private const double TooMuch = 0.1;

    /// <summary>How long in all a comparison waits for others to end their work.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(1);

    /// <summary>How many times as fast as libtorch.</summary>
    public Spread Ratio => Spread.Of(Pairs.Select(pair => pair.Ratio));

    /// <summary>The share of the processors that went to anything else, in the pair where it was greatest.</summary>
    public double Others => Pairs.Max(pair => pair.Others);

    /// <summary>Whether other programs took so much that the ratio says nothing.</summary>
    public bool IsDisturbed => Others > TooMuch;

    /// <summary>Whether the goal is reached.</summary>
    public bool Holds => !IsDisturbed && Ratio.Median >= Case.Goal;

    /// <summary>Alternates the sides.</summary>
    /// <exception cref="InvalidOperationException">They do not compute the same.</exception>
    public static Comparison Measure(Case work, Settings settings)
    {
        using var own = SideProcess.StartOwn(work, settings);
        Machine.WaitForQuiet(_patience);
        using var torch = SideProcess.StartTorch(work, settings);
        var count = work.IsTraining ? ComparedSteps : 1;
        var difference = own.Losses(count).Zip(torch.Losses(count), (a, b) => Math.Abs(a - b) / Math.Abs(b)).Max();
        if (!(difference <= Tolerance))
        {
            throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture, $"{work.Title}: the losses of the two sides differ by {difference:0.0e0}, so they do not compute the same"));
        }

        var rounds = Math.Max(3, (int)settings.Seconds);
        var seconds = settings.Seconds / rounds;
        own.Block(seconds);
        torch.Block(seconds);
        // Others slow libtorch far more: its threads wait for one another far more often.
        var pairs = new List<Pair>();
        var waited = TimeSpan.Zero;
        while (pairs.Count(pair => pair.Others <= Machine.Disturbance) < rounds && pairs.Count < 3 * rounds)
        {
            waited += Machine.WaitForQuiet(_patience - waited);
            pairs.Add(MeasurePair(own, torch, seconds, isOwnFirst: pairs.Count % 2 == 0));
        }

        var chosen = pairs.OrderBy(pair => pair.Others).Take(rounds).ToHashSet();
        return new(work, own.Description, torch.Description, [.. pairs.Where(chosen.Contains)], difference);
    }

    private static Pair MeasurePair(SideProcess own, SideProcess torch, double seconds, bool isOwnFirst)
    {
        var first = isOwnFirst ? own : torch;
        var second = isOwnFirst ? torch : own;
        var (a, othersOfFirst) = MeasureBlock(first, seconds);
        Machine.WaitForQuiet(TimeSpan.Zero);
        var (b, othersOfSecond) = MeasureBlock(second, seconds);
        return new(isOwnFirst ? a : b, isOwnFirst ? b : a, Math.Max(othersOfFirst, othersOfSecond));
    }

    private static (double Microseconds, double Others) MeasureBlock(SideProcess side, double seconds)
    {
        var (busy, own, watch) = (Machine.BusyTime, side.ProcessorTime, Stopwatch.StartNew());
        var microseconds = side.Block(seconds);
        var others = Machine.BusyTime - busy - (side.ProcessorTime - own);
        return (microseconds, Math.Max(0, others / watch.Elapsed / Environment.ProcessorCount));
    }
}
