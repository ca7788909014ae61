namespace AutoencoderGpu.Kernels.Executors;

/// <summary>One of the CPU threads that execute a program together.</summary>
internal readonly unsafe struct Worker(int index, int count, SpinBarrier barrier, float* shared, float* scratch)
{
    /// <summary>Floats of <see cref="Shared"/>, 2 MiB.</summary>
    public const int SharedLength = 1 << 19;

    /// <summary>Floats of <see cref="Scratch"/>, 256 KiB: half of a common second-level cache.</summary>
    public const int ScratchLength = 1 << 16;

    /// <summary>Memory of all workers together, which lasts until an instruction ends.</summary>
    public readonly float* Shared = shared;

    /// <summary>This worker's own memory, which lasts until an instruction ends.</summary>
    public readonly float* Scratch = scratch;

    /// <summary>This worker's contiguous share of a number of items; shares differ by one item at most.</summary>
    public (int Start, int End) Share(int items) => ((int)((long)items * index / count), (int)((long)items * (index + 1) / count));

    /// <summary>Ends the program rather than write beyond the memory: a layer is larger than the kernels were made for.</summary>
    public static void RequireRoom(long needed, int length)
    {
        if (needed > length)
            Environment.FailFast($"A layer needs {needed:N0} floats of working memory on the CPU, where {length:N0} are reserved.");
    }

    /// <summary>Within an instruction, waits until all workers have come here; every one of them must.</summary>
    public void WaitForAll() => barrier.Wait();
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
