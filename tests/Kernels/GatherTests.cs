using AutoencoderGpu.Kernels.Operations;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

[Collection(OnExecutors.Name)]
public class GatherTests
{
    public static IEnumerable<TheoryDataRow<string, (int Batch, int Count, int H, int W, int Border)>> Shapes => Rows.Of(
        ExecutorsUnderTest.Names,
        ((int, int, int, int, int)[])[(1, 1, 1, 1, 0), (10, 10, 28, 28, 1), (10, 7, 28, 28, 0), (7, 3, 3, 5, 1), (33, 32, 2, 7, 0)]);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Takes_images_in_the_order_and_normalises_them(
        string executor, (int Batch, int Count, int H, int W, int Border) shape)
    {
        var (batch, count, height, width, border) = shape;
        const double mean = 0.1307, deviation = 0.3081;
        var random = new Values(batch);
        int size = height * width, images = batch + count;
        var bytes = random.Bytes(images * size);
        var order = random.Permutation(images);
        var bench = new Workbench(ExecutorsUnderTest.Open(executor), batch, count);
        var output = bench.Writable(bench.Map(height, width, 1, border));
        int scale = bench.Slice(1, [(float)(1 / (255 * deviation))]), shift = bench.Slice(1, [(float)(-mean / deviation)]);
        bench.Run(bytes, size, order, Gather.Of(output, scale, shift));
        var expected = Enumerable.Range(0, count * size)
            .Select(i => (bytes[order[batch + i / size] * size + i % size] / 255.0 - mean) / deviation)
            .ToArray();
        // Scale, shift, product and sum are rounded once each; the largest of them is 1/deviation.
        Tolerance.Check("image", bench.Read(output), expected, _ => 4 * Tolerance.Rounding / deviation);
    }
}
