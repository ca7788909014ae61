using AutoencoderGpu.Kernels.Operations;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

/// <summary>Update rules with state against their formulas in double precision.</summary>
[Collection(OnExecutors.Name)]
public class OptimiserTests
{
    private static readonly int[] _counts = [1, 7, Gradients.NormBlock - 1, Gradients.NormBlock + 1, 3333];

    public static IEnumerable<TheoryDataRow<string, int>> Counts => Rows.Of(ExecutorsUnderTest.Names, _counts);

    [Theory]
    [MemberData(nameof(Counts))]
    public void Momentum_keeps_a_part_of_its_velocity(string executor, int count)
    {
        foreach (var (splits, momentum, decay) in ((int, double, double)[])[(1, 0.9, 0), (3, 0.5, 0.25), (1, 0, 0.125)])
        {
            var data = new Data(count, splits);
            var bench = data.Bench(executor, 1, out var parameters, out var gradients, out var states);
            bench.Run(Momentum.Of(parameters, gradients, states[0], momentum, decay));
            double[] velocity = [.. data.Total.Select((g, i) => (float)momentum * data.States[0][i] + g + (float)decay * data.W[i])];
            double Size(int i) => Math.Abs(data.States[0][i]) + data.Magnitude(i) + Math.Abs(data.W[i]);
            Tolerance.Check("velocity", bench.Read(states[0], count), velocity, i => 8 * Tolerance.Rounding * Size(i));
            Tolerance.Check("parameters", bench.Read(parameters, count), [.. velocity.Select((v, i) => data.W[i] - Workbench.Rate * v)], i => 8 * Tolerance.Rounding * Size(i));
        }
    }

    [Theory]
    [MemberData(nameof(Counts))]
    public void Adam_divides_by_the_size_of_gradients(string executor, int count)
    {
        foreach (var (splits, decay, isDecoupled, stepsBefore) in ((int, double, bool, int)[])[(1, 0, false, 0), (3, 0.25, false, 7), (1, 0.25, true, 500), (1, 0.01, true, 1_000_000)])
        {
            var data = new Data(count, splits);
            var bench = data.Bench(executor, 2, out var parameters, out var gradients, out var states);
            bench.StepsBefore = stepsBefore;
            bench.Run(Adam.Of(parameters, gradients, states[0], states[1], decay, isDecoupled));
            var time = stepsBefore + 2; // the second of two steps
            double rest1 = 1 - Math.Pow(0.9, time), rest2 = 1 - Math.Pow(0.999, time), coupled = isDecoupled ? 0 : decay, decoupled = isDecoupled ? decay : 0;
            double[] g = [.. data.Total.Select((value, i) => value + coupled * data.W[i])];
            double[] m = [.. g.Select((value, i) => 0.9 * data.States[0][i] + 0.1 * value)], v = [.. g.Select((value, i) => 0.999 * data.States[1][i] + 0.001 * value * value)];
            double Size(int i) => data.Magnitude(i) + Math.Abs(data.W[i]);
            Tolerance.Check("first", bench.Read(states[0], count), m, i => 8 * Tolerance.Rounding * (Math.Abs(data.States[0][i]) + Size(i)));
            Tolerance.Check("second", bench.Read(states[1], count), v, i => 16 * Tolerance.Rounding * (data.States[1][i] + 0.001 * Size(i) * Size(i)));
            double[] expected = [.. g.Select((_, i) => data.W[i] * (1 - Workbench.Rate * decoupled) - Workbench.Rate / rest1 * m[i] / (Math.Sqrt(v[i] / rest2) + 1e-8))];
            // The states here are of the size of 1, so nothing small is divided by; what m and v are off by, and twice a dozen roundings.
            Tolerance.Check("parameters", bench.Read(parameters, count), expected, i =>
                Workbench.Rate / rest1 * (48 * Tolerance.Rounding * (Math.Abs(data.States[0][i]) + Size(i)) / Math.Sqrt(v[i] / rest2)) + 4 * Tolerance.Rounding * Math.Abs(data.W[i]));
        }
    }

    [Theory]
    [MemberData(nameof(Counts))]
    public void The_norm_is_clipped_before_either(string executor, int count)
    {
        const float norm = 0.25f;
        var data = new Data(count, 1);
        var factor = Reference.ClipFactor([.. data.Total], norm);
        foreach (var isAdam in (bool[])[false, true])
        {
            var bench = data.Bench(executor, 2, out var parameters, out var gradients, out var states);
            var partials = bench.Writable(bench.Slice(gradients.Blocks), gradients.Blocks);
            var clipped = gradients.ClippedAt(partials, norm);
            bench.Run(
                GradientNorm.Of(gradients, partials),
                isAdam ? Adam.Of(parameters, clipped, states[0], states[1], 0, false) : Momentum.Of(parameters, clipped, states[0], 0.5, 0));
            double[] expected = [.. data.Total.Select((g, i) => isAdam ? 0.9 * data.States[0][i] + 0.1 * factor * g : 0.5 * data.States[0][i] + factor * g)];
            Tolerance.Check("state", bench.Read(states[0], count), expected, i =>
                8 * Tolerance.Rounding * Math.Abs(data.States[0][i]) + (Tolerance.Gamma(count) + 8 * Tolerance.Rounding) * factor * Math.Abs(data.Total[i]));
        }
    }

    [Fact]
    public void Numbers_out_of_range_are_an_error()
    {
        foreach (var wrong in (double[])[-0.1, 1, double.NaN])
            Assert.Throws<ArgumentOutOfRangeException>(() => Optimiser.Named("momentum", new(Momentum: wrong)));
        foreach (var wrong in (double[])[-0.1, double.NaN, double.PositiveInfinity])
            Assert.All((string[])["momentum", "adam", "adamw"], name => Assert.Throws<ArgumentOutOfRangeException>(() => Optimiser.Named(name, new(WeightDecay: wrong))));
        Assert.All((string[])["sgd", "adam", "adamw"], name => Assert.Throws<ArgumentException>(() => Optimiser.Named(name, new(Momentum: 0.5))));
        Assert.Throws<ArgumentException>(() => Optimiser.Named("sgd", new(WeightDecay: 0.5)));
        Assert.Throws<ArgumentException>(() => Optimiser.Named("adagrad", new()));
        Assert.Equal(["sgd", "adam", "adamw", "momentum"], Optimiser.All.Select(optimiser => optimiser.Name));
    }

    /// <summary>Parameters, gradients in partial sums, and states.</summary>
    private sealed record Data
    {
        private readonly int _splits;
        private readonly float[] _g;

        public Data(int count, int splits)
        {
            _splits = splits;
            var random = new Values(count);
            (W, _g, States) = (random.Next(count), random.Next(splits * count, -2, 2), [random.Next(count), random.Next(count, 0.5, 1)]);
            Total = [.. Enumerable.Range(0, count).Select(i => Enumerable.Range(0, splits).Sum(split => (double)_g[split * count + i]))];
        }

        public float[] W { get; }

        public float[][] States { get; }

        public double[] Total { get; }

        public double Magnitude(int i) => Enumerable.Range(0, _splits).Sum(split => Math.Abs(_g[split * W.Length + i]));

        public Workbench Bench(string executor, int states, out int parameters, out Gradients gradients, out int[] offsets)
        {
            var count = W.Length;
            var bench = new Workbench(ExecutorsUnderTest.Open(executor), 1, 1);
            parameters = bench.Writable(bench.Slice(count, W), count);
            var offset = bench.Slice(_g.Length, _g);
            bench.Writable(offset, count); // the first partial sum takes the total
            gradients = new Gradients(offset, count).SplitInto(_splits, count);
            offsets = [.. States.Take(states).Select(state => bench.Writable(bench.Slice(count, state), count))];
            return bench;
        }
    }
}
