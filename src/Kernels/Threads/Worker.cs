namespace AutoencoderGpu.Kernels.Threads;

/// <summary>One of the CPU threads that execute a program together.</summary>
internal readonly unsafe struct Worker(int index, ThreadTeam team, float* shared, float* scratch)
{
    /// <summary>Floats of <see cref="Shared"/>, 2 MiB.</summary>
    public const int SharedLength = 1 << 19;

    /// <summary>Floats of <see cref="Scratch"/>, 256 KiB: half of a common second-level cache.</summary>
    public const int ScratchLength = 1 << 16;

    /// <summary>Memory of all workers together, which lasts until an instruction ends.</summary>
    public readonly float* Shared = shared;

    /// <summary>This worker's own memory, which lasts until an instruction ends.</summary>
    public readonly float* Scratch = scratch;

    /// <summary>Workers in all.</summary>
    public int Count => team.Count;

    /// <summary>
    /// This worker's contiguous share of a number of items, for those whose owner must stay the same: what is added up over several
    /// loops without a barrier between them. Shares differ by one item at most.
    /// </summary>
    public (int Start, int End) Range(int items) => (team.StartOfRange(items, index), team.StartOfRange(items, index + 1));

    /// <summary>What this worker does of a number of items, piece by piece.</summary>
    /// <param name="grain">Items of a piece at least, enough to repay the tens of nanoseconds that taking one costs.</param>
    public WorkRanges Ranges(int items, int grain) => new(team, index, items, grain);

    /// <summary><see cref="WorkRanges"/> of whole tiles, none of them of more items than stay in a cache.</summary>
    /// <param name="items">Items, of which the last tile may have fewer.</param>
    /// <param name="tile">Items of a tile.</param>
    /// <param name="most">Items of a piece at most, some tiles.</param>
    public WorkBlocks Tiles(int items, int tile, int most) => new(Ranges((items + tile - 1) / tile, most / tile), items, tile, most);

    /// <summary><see cref="WorkRanges"/>, item by item.</summary>
    public WorkItems Items(int items, int grain = 1) => new(Ranges(items, grain));

    /// <summary>Within an instruction, waits until all workers have come here; every one of them must.</summary>
    public void WaitForAll() => team.WaitForAll();
}

/// <summary><see cref="Buffers"/> as the CPU sees them.</summary>
internal unsafe readonly struct HostBuffers(float* arena, byte* images, int* order, float* learningRates, float* losses)
{
    public readonly float* Arena = arena;
    public readonly byte* Images = images;
    public readonly int* Order = order;
    public readonly float* LearningRates = learningRates;
    public readonly float* Losses = losses;
}
