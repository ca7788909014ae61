using ILGPU;

namespace AutoencoderGpu.Kernels;

/// <summary>All device memory that a program works on, as a kernel sees it.</summary>
/// <param name="Arena">Parameters, activations and gradients.</param>
/// <param name="Images">(N, H·W) bytes, the data set.</param>
/// <param name="Order">(N) the order in which images are visited.</param>
/// <param name="LearningRates">(steps) the rate of each step.</param>
/// <param name="Losses">(N) the mean squared error of each visited image, in the order of visits.</param>
public readonly record struct Buffers(
    ArrayView<float> Arena,
    ArrayView<byte> Images,
    ArrayView<int> Order,
    ArrayView<float> LearningRates,
    ArrayView<float> Losses);

/// <summary>The mini-batch of one step.</summary>
/// <param name="Step">The step's index within the epoch, which selects the learning rate.</param>
/// <param name="First">Index into the order of its first image.</param>
/// <param name="Count">Its images, B; the last mini-batch of an epoch may have fewer than the others.</param>
public readonly record struct MiniBatch(int Step, int First, int Count);
