using AutoencoderGpu.Models;
using Xunit;
using static AutoencoderGpu.Models.RandomNumbers;

namespace AutoencoderGpu.Tests.Models;

public class RandomNumbersTests
{
    /// <summary>The published first values of splitmix64.c check the generator here, which then checks the program's.</summary>
    [Fact]
    public void Steps_as_SplitMix64()
    {
        Assert.Equal([6457827717110365317, 3203168211198807973, 9817491932198370423], Published(1234567, 3));
        Assert.Equal([0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F], Published(0, 3));
        var state = Mixed(Mixed(Mixed(42) + (ulong)Purpose.Shuffle) + 7);
        var random = new RandomNumbers(42, Purpose.Shuffle, 7);
        Assert.Equal(Published(state, 5), Enumerable.Range(0, 5).Select(_ => random.NextBits()));
    }

    [Fact]
    public void Streams_differ_and_are_reproducible()
    {
        var firsts =
            from seed in (ulong[])[0, 1, 2, ulong.MaxValue]
            from purpose in Enum.GetValues<Purpose>()
            from index in (ulong[])[0, 1, 2]
            select (new RandomNumbers(seed, purpose, index).NextBits(), new RandomNumbers(seed, purpose, index).NextBits());
        Assert.All(firsts, pair => Assert.Equal(pair.Item1, pair.Item2));
        Assert.Equal(36, firsts.Select(pair => pair.Item1).Distinct().Count());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(1000)]
    public void A_permutation_has_every_index_once(int count)
    {
        var order = new RandomNumbers(1, Purpose.Shuffle).Permutation(count);
        Assert.Equal(Enumerable.Range(0, count), order.Order());
        if (count > 2)
            Assert.NotEqual(Enumerable.Range(0, count), order);
    }

    [Fact]
    public void Every_permutation_of_three_is_as_likely()
    {
        var random = new RandomNumbers(5, Purpose.Shuffle);
        var counts = Enumerable.Range(0, 6000).GroupBy(_ => string.Join(',', random.Permutation(3))).Select(group => group.Count()).ToList();
        Assert.Equal(6, counts.Count);
        Assert.All(counts, count => Assert.InRange(count, 1000 - 150, 1000 + 150)); // five standard deviations
    }

    [Fact]
    public void Numbers_fill_their_range()
    {
        var random = new RandomNumbers(3, Purpose.Digits);
        var units = Enumerable.Range(0, 10_000).Select(_ => random.NextUnit()).ToList();
        Assert.All(units, unit => Assert.True(unit is >= 0 and < 1 && unit == (float)unit));
        Assert.Equal(0.5, units.Average(), 0.015);
        Assert.Equal(10, Enumerable.Range(0, 1000).Select(_ => random.Next(10)).Distinct().Count());
        Assert.All(Enumerable.Range(0, 1000).Select(_ => random.Next(-2.0, 3.0)), value => Assert.True(value is >= -2 and < 3));
    }

    private static IEnumerable<ulong> Published(ulong state, int count)
    {
        for (var i = 0; i < count; i++)
            yield return Mixed(state += 0x9E3779B97F4A7C15);
    }

    private static ulong Mixed(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
