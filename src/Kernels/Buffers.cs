using ILGPU;

namespace AutoencoderGpu.Kernels;

/// <summary>All device memory that a program works on, as a kernel sees it.</summary>
/// <param name="Arena">Parameters, activations and gradients.</param>
/// <param name="Images">(N, H·W) bytes, the data set.</param>
/// <param name="Order">(N) the order in which images are visited.</param>
/// <param name="LearningRates">(steps) the rate of each step.</param>
/// <param name="Losses">(N) the loss of each visited image, in the order of visits.</param>
/// <param name="Origin">
/// (2) the step from which a portable kernel's steps count, so that a recorded launch can be replayed, and the steps of earlier epochs.
/// </param>
public readonly record struct Buffers(
    ArrayView<float> Arena,
    ArrayView<byte> Images,
    ArrayView<int> Order,
    ArrayView<float> LearningRates,
    ArrayView<float> Losses,
    ArrayView<int> Origin);
