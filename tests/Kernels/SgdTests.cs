using AutoencoderGpu.Kernels.Operations;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

[Collection(OnExecutors.Name)]
public class SgdTests
{
    // More than 256 blocks are more than a group of a GPU adds at once.
    private static readonly int[] _counts = [1, 7, 256 * Gradients.NormBlock + 99, Gradients.NormBlock - 1, Gradients.NormBlock, Gradients.NormBlock + 1, 3333];

    public static IEnumerable<TheoryDataRow<string, int>> Counts => Rows.Of(ExecutorsUnderTest.Names, _counts);

    [Theory]
    [MemberData(nameof(Counts))]
    public void Subtracts_the_rate_times_all_partial_gradients(string executor, int count)
    {
        foreach (var splits in (int[])[1, 3, 9])
        {
            var (bench, w, g, parameters, gradients, stride) = Prepare(executor, count, splits);
            bench.Run(Sgd.Of(parameters, new Gradients(gradients, count).SplitInto(splits, stride)));
            Updated.Check("parameters", bench.Read(parameters, count), w, Total(g, count, splits, stride), null);
        }
    }

    [Theory]
    [MemberData(nameof(Counts))]
    public void Clips_at_the_norm_of_all_gradients(string executor, int count)
    {
        // The norm is near √count; clipped, not clipped, and no gradient at all.
        foreach (var (splits, norm) in ((int, float)[])[(1, 0.01f), (3, 0.05f), (1, 1e6f), (3, 1e6f), (0, 1f)])
        {
            var isZero = splits == 0;
            var (bench, w, g, parameters, gradients, stride) = Prepare(executor, count, Math.Max(1, splits), isZero);
            var blocks = (count + Gradients.NormBlock - 1) / Gradients.NormBlock;
            var partials = bench.Writable(bench.Slice(blocks), blocks);
            bench.Run(
                GradientNorm.Of(new Gradients(gradients, count).SplitInto(Math.Max(1, splits), stride), partials),
                Sgd.Of(parameters, new Gradients(gradients, count).ClippedAt(partials, norm)));
            var total = Total(g, count, Math.Max(1, splits), stride);
            var factor = Reference.ClipFactor(total.Values, norm);
            Assert.Equal(isZero || norm > 1000, factor == 1);
            // The factor carries the norm's error: half that of a sum of squares, which are all positive.
            var relative = Tolerance.Gamma(count) + 4 * Tolerance.Rounding;
            var factorErrors = total.Values.Select(value => Math.Abs(value) * relative / Tolerance.Gamma(total.Depth));
            total = total with { Magnitudes = [.. total.Magnitudes.Zip(factorErrors, (magnitude, error) => magnitude + error)] };
            Updated.Check($"parameters clipped at {norm}", bench.Read(parameters, count), w, total, null, factor);
            Tolerance.Check("total", bench.Read(gradients, count), Total(g, count, Math.Max(1, splits), stride));
            var squares = new Sums(blocks, Gradients.NormBlock);
            for (var i = 0; i < count; i++)
                squares.Add(i / Gradients.NormBlock, total.Values[i] * total.Values[i]);
            squares = squares with { Magnitudes = [.. squares.Values.Select(value => value + 1e-3)] };
            Tolerance.Check("sums of squares", bench.Read(partials, blocks), squares);
        }
    }

    private static (Workbench Bench, float[] W, float[] G, int Parameters, int Gradients, int Stride) Prepare(
        string executor, int count, int splits, bool isZero = false)
    {
        var random = new Values(count);
        var stride = count + 3;
        var bench = new Workbench(ExecutorsUnderTest.Open(executor), 1, 1);
        float[] w = random.Next(count), g = isZero ? new float[splits * stride] : random.Next(splits * stride, -2, 2);
        for (var split = 0; split < splits; split++)
            g.AsSpan(split * stride + count, stride - count).Fill(float.NaN);
        int parameters = bench.Writable(bench.Slice(count, w), count), gradients = bench.Slice(g.Length, g);
        bench.Writable(gradients, count); // the first partial sum takes the total
        return (bench, w, g, parameters, gradients, stride);
    }

    private static Sums Total(float[] g, int count, int splits, int stride)
    {
        var sums = new Sums(count, splits);
        for (var split = 0; split < splits; split++)
        {
            for (var i = 0; i < count; i++)
                sums.Add(i, g[split * stride + i]);
        }

        return sums;
    }
}
