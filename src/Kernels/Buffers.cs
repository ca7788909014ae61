using ILGPU;

namespace AutoencoderGpu.Kernels;

/// <summary>All device memory that a program works on, as a kernel sees it.</summary>
/// <param name="Arena">Parameters, activations and gradients.</param>
/// <param name="Images">(N, H·W) bytes, the data set.</param>
/// <param name="Order">(N) the order in which images are visited.</param>
/// <param name="LearningRates">(steps) the rate of each step.</param>
/// <param name="Losses">(N) the mean squared error of each visited image, in the order of visits.</param>
/// <param name="Origin">(1) the step from which a portable kernel's steps count, so that a recorded launch can be replayed.</param>
public readonly record struct Buffers(
    ArrayView<float> Arena,
    ArrayView<byte> Images,
    ArrayView<int> Order,
    ArrayView<float> LearningRates,
    ArrayView<float> Losses,
    ArrayView<int> Origin);

/// <summary>The mini-batch of one step.</summary>
/// <param name="Step">The step's index within the epoch, which selects the learning rate.</param>
/// <param name="Size">Images of every mini-batch but perhaps the last, B.</param>
/// <param name="Count">Its own images.</param>
public readonly record struct MiniBatch(int Step, int Size, int Count)
{
    /// <summary>Index into the order of its first image.</summary>
    public int First => Step * Size;

    /// <summary>As a portable kernel is to see it: <see cref="Step"/> steps after <see cref="Buffers.Origin"/>.</summary>
    internal MiniBatch From(in Buffers buffers) => new(buffers.Origin[0] + Step, Size, Count);
}
