using AutoencoderGpu.Models;
using Xunit;

namespace AutoencoderGpu.Tests.Models;

public class RandomNumbersTests
{
    /// <summary>The first values of Vigna's splitmix64.c, as published for two seeds.</summary>
    [Theory]
    [InlineData(1234567, new ulong[] { 6457827717110365317, 3203168211198807973, 9817491932198370423 })]
    [InlineData(0, new ulong[] { 0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F })]
    public void Steps_as_published(ulong seed, ulong[] expected)
    {
        var random = new SplitMix64(seed);
        Assert.Equal(expected, expected.Select(_ => random.Next()));
    }

    [Fact]
    public void What_is_drawn_differs_by_seed_purpose_and_epoch_and_is_reproducible()
    {
        ulong[] seeds = [0, 1, 2, ulong.MaxValue];
        Assert.Equal(4, seeds.Select(seed => RandomNumbers.ForInitialValues(seed).Next()).Distinct().Count());
        var orders = (
            from seed in seeds
            from epoch in (int[])[1, 2, 3]
            select string.Join(',', RandomNumbers.OrderOf(seed, epoch, 100))).ToList();
        Assert.Equal(12, orders.Distinct().Count());
        Assert.Equal(orders[0], string.Join(',', RandomNumbers.OrderOf(0, 1, 100)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(1000)]
    public void A_permutation_has_every_index_once(int count)
    {
        var order = new SplitMix64(1).Permutation(count);
        Assert.Equal(Enumerable.Range(0, count), order.Order());
        if (count > 2)
            Assert.NotEqual(Enumerable.Range(0, count), order);
    }

    [Fact]
    public void Every_permutation_of_three_is_as_likely()
    {
        var random = new SplitMix64(5);
        var counts = new Dictionary<string, int>();
        for (var i = 0; i < 6000; i++)
        {
            var order = string.Join(',', random.Permutation(3));
            counts[order] = counts.GetValueOrDefault(order) + 1;
        }

        Assert.Equal(6, counts.Count);
        Assert.All(counts.Values, count => Assert.InRange(count, 1000 - 150, 1000 + 150)); // five standard deviations
    }

    [Fact]
    public void Numbers_fill_their_range()
    {
        var random = new SplitMix64(3);
        var sum = 0.0;
        var seen = new HashSet<int>();
        for (var i = 0; i < 10_000; i++)
        {
            var value = random.Uniform(-2, 3);
            Assert.True(value is >= -2 and < 3);
            sum += value;
            seen.Add(random.Next(10));
        }

        Assert.Equal(0.5, sum / 10_000, 0.08); // more than five standard deviations
        Assert.Equal(Enumerable.Range(0, 10), seen.Order());
    }
}
