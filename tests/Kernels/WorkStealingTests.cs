using AutoencoderGpu.Kernels.Threads;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

/// <summary>Work divided among threads: every item once, whoever takes it.</summary>
public sealed class WorkStealingTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_item_of_every_division_is_taken_once(int workers)
    {
        // Without a barrier between divisions, so that some workers are in the next one already.
        int[] sizes = [.. Enumerable.Range(0, 2000).Select(i => i * 37 % 101)];
        var taken = sizes.Select(size => new int[size]).ToArray();
        using var team = new ThreadTeam(workers);
        Run(workers, index =>
        {
            for (var division = 0; division < sizes.Length; division++)
            {
                foreach (var item in new WorkItems(new WorkRanges(team, index, sizes[division], grain: 1 + division % 3)))
                    Interlocked.Increment(ref taken[division][item]);
            }
        });
        Assert.All(taken, counts => Assert.All(counts, count => Assert.Equal(1, count)));
    }

    [Fact]
    public void Pieces_are_cut_into_blocks_at_tiles()
    {
        using var team = new ThreadTeam(2);
        var blocks = new List<(int Start, int End)>();
        foreach (var block in new WorkBlocks(new WorkRanges(team, 0, items: 9, grain: 2), items: 50, tile: 6, most: 12))
            blocks.Add(block);
        Assert.Equal(Enumerable.Range(0, 50), blocks.SelectMany(block => Enumerable.Range(block.Start, block.End - block.Start)).Order());
        Assert.All(blocks, block => Assert.True(block.Start % 6 == 0 && block.End - block.Start <= 12 && (block.End % 6 == 0 || block.End == 50)));
    }

    [Fact]
    public void A_worker_that_is_late_finds_its_share_done()
    {
        using var team = new ThreadTeam(2);
        Assert.Equal(Enumerable.Range(0, 10), All(new(team, 0, items: 10, grain: 1)).Order());
        Assert.Empty(All(new(team, 1, items: 10, grain: 1)));
        // Who was late begins the next division with its own share.
        Assert.Equal(5, All(new(team, 1, items: 10, grain: 1))[0]);
    }

    private static List<int> All(WorkRanges ranges)
    {
        var items = new List<int>();
        foreach (var item in new WorkItems(ranges))
            items.Add(item);
        return items;
    }

    private static void Run(int workers, Action<int> work)
    {
        var threads = Enumerable.Range(0, workers).Select(index => new Thread(() => work(index))).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
    }
}
