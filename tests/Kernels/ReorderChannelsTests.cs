using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Operations;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

[Collection(OnExecutors.Name)]
public class ReorderChannelsTests
{
    public static IEnumerable<TheoryDataRow<string, (int Batch, int Count, int H, int W, int C, int Border)>> Shapes => Rows.Of(
        ExecutorsUnderTest.Names,
        ((int, int, int, int, int, int)[])[(1, 1, 1, 1, 1, 0), (3, 2, 1, 1, 7, 0), (3, 3, 4, 5, 1, 1), (7, 5, 3, 2, 5, 0), (2, 2, 8, 12, 33, 1), (10, 9, 7, 7, 8, 1)]);

    /// <summary>A test's values are in PyTorch's order, so flat ones are the same numbers one after another.</summary>
    [Theory]
    [MemberData(nameof(Shapes))]
    public void Takes_maps_to_flat_values_in_PyTorchs_order_and_back(string executor, (int Batch, int Count, int H, int W, int C, int Border) shape)
    {
        var (batch, count, height, width, channels, border) = shape;
        var values = new Values(channels).Next(count * height * width * channels);
        var bench = new Workbench(ExecutorsUnderTest.Open(executor), batch, count);
        var map = bench.Map(height, width, channels, border, values);
        var flat = bench.Writable(bench.Map(1, 1, height * width * channels, 0));
        var back = bench.Writable(bench.Map(height, width, channels, 1 - border));
        bench.Run(ReorderChannels.Flatten(map, flat), ReorderChannels.Unflatten(flat, back));
        Assert.Equal(values, bench.Read(flat));
        Assert.Equal(values, bench.Read(back));
    }

    [Fact]
    public void Other_numbers_of_values_are_an_error()
    {
        FeatureMap map = new(0, 2, 3, 4, 0), flat = FeatureMap.Flat(100, 24);
        Assert.Throws<ArgumentException>(() => ReorderChannels.Flatten(map, flat with { Channels = 25 }));
        Assert.Throws<ArgumentException>(() => ReorderChannels.Unflatten(flat with { Height = 2, Channels = 12 }, map));
    }
}
