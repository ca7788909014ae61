using AutoencoderGpu.Kernels;

namespace AutoencoderGpu.Tests.Kernels;

/// <summary>What tests know of an activation. All of it stands here; one that is missing fails every test that takes all activations.</summary>
/// <param name="Value">f(x).</param>
/// <param name="Derivative">f′ at the point whose result was y.</param>
internal sealed record Activated(Func<double, double> Value, Func<double, double> Derivative)
{
    private static readonly Dictionary<Activation, Activated> _known = new()
    {
        [Activation.None] = new(x => x, _ => 1),
        [Activation.Relu] = new(x => Math.Max(0, x), y => y > 0 ? 1 : 0),
        [Activation.Sigmoid] = new(x => 1 / (1 + Math.Exp(-x)), y => y * (1 - y))
        {
            Slope = 0.25,
            // The exponential keeps its argument's rounding; then come a sum and a quotient.
            ValueRoundings = x => 4 + 2 * Math.Abs(x),
        },
        // A rounding of the slope and one of the product.
        [Activation.LeakyRelu] = new(x => x > 0 ? x : 0.2 * x, y => y > 0 ? 1 : 0.2) { ValueRoundings = x => x > 0 ? 0 : 0.4 * -x },
        [Activation.Tanh] = new(Math.Tanh, y => 1 - y * y)
        {
            ValueRoundings = x => 4 + 2 * Math.Abs(x),
            DerivativeRoundings = y => y * y,
        },
    };

    /// <summary>The greatest slope: how much of the error of x reaches f(x).</summary>
    public double Slope { get; init; } = 1;

    /// <summary>What f(x) may be off by beside that, in roundings of 1.</summary>
    public Func<double, double> ValueRoundings { get; init; } = _ => 0;

    /// <summary>What f′ may be off by at y, in roundings of 1, beside relative roundings, for which bounds of sums have room.</summary>
    public Func<double, double> DerivativeRoundings { get; init; } = _ => 0;

    public static Activated Of(Activation activation) => _known.TryGetValue(activation, out var known)
        ? known
        : throw new ArgumentOutOfRangeException(nameof(activation), activation, "No test knows this activation.");

    /// <summary>All activations; where the simulator would take long, two of them, others for another shape.</summary>
    /// <param name="executor">Its name.</param>
    /// <param name="work">Multiply-adds, or so.</param>
    public static IReadOnlyList<Activation> On(string executor, long work)
    {
        var all = Enum.GetValues<Activation>();
        var first = (int)(work % all.Length);
        return executor == ExecutorsUnderTest.Simulator && work > 5_000 ? [all[first], all[(first + 1) % all.Length]] : all;
    }

    /// <summary>Numbers that the activation may have made.</summary>
    public static float[] Results(Activation activation, Values random, int length) =>
        [.. random.Next(length, -3, 3).Select(x => (float)Of(activation).Value(x))];

    /// <summary>Sums, each times f′ at the point whose result was y.</summary>
    public static Sums TimesDerivative(Sums sums, Activation activation, float[] y)
    {
        var times = sums.Times(i => Of(activation).Derivative(y[i]));
        return times with
        {
            Magnitudes =
            [
                .. times.Magnitudes.Select((magnitude, i) => magnitude
                    + Math.Abs(sums.Values[i]) * Of(activation).DerivativeRoundings(y[i]) * Tolerance.Rounding / Tolerance.Gamma(sums.Depth)),
            ],
        };
    }

    /// <summary>f of sums.</summary>
    public static void Check(string what, float[] actual, Sums sums, Activation activation)
    {
        var known = Of(activation);
        var bounds = sums.Bounds;
        Tolerance.Check(
            $"{activation} {what}",
            actual,
            [.. sums.Values.Select(known.Value)],
            i => known.Slope * bounds[i] + known.ValueRoundings(sums.Values[i]) * Tolerance.Rounding);
    }
}
