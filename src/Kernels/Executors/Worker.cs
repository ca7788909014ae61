namespace AutoencoderGpu.Kernels.Executors;

/// <summary>One of the CPU threads that execute a program together.</summary>
/// <param name="Index">From 0.</param>
/// <param name="Count">Threads in all.</param>
internal readonly record struct Worker(int Index, int Count)
{
    /// <summary>This worker's contiguous share of a number of items; shares differ by one item at most.</summary>
    public (int Start, int End) Share(int items) =>
        ((int)((long)items * Index / Count), (int)((long)items * (Index + 1) / Count));
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
