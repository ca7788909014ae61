namespace AutoencoderGpu.Kernels;

/// <summary>The mini-batch of one step.</summary>
/// <param name="Step">The step's index within the epoch, which selects the learning rate.</param>
/// <param name="Size">Images of every mini-batch but perhaps the last, B.</param>
/// <param name="Count">Its own images.</param>
/// <param name="StepsBefore">Steps of earlier epochs.</param>
public readonly record struct MiniBatch(int Step, int Size, int Count, int StepsBefore = 0)
{
    /// <summary>Index into the order of its first image.</summary>
    public int First => Step * Size;

    /// <summary>Which step of the whole training this is, from 1; as in the papers, t.</summary>
    public int Time => StepsBefore + Step + 1;

    /// <summary>The mini-batch of a step of an epoch.</summary>
    /// <param name="step">From 0.</param>
    /// <param name="size">Images of a whole mini-batch.</param>
    /// <param name="images">Of an epoch.</param>
    /// <param name="stepsBefore">Steps of earlier epochs.</param>
    internal static MiniBatch Of(int step, int size, int images, int stepsBefore) =>
        new(step, size, Math.Min(size, images - step * size), stepsBefore);

    /// <summary>As a portable kernel is to see it: <see cref="Step"/> steps after <see cref="Buffers.Origin"/>.</summary>
    internal MiniBatch From(in Buffers buffers) => new(buffers.Origin[0] + Step, Size, Count, buffers.Origin[1]);
}
