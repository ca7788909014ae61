using ILGPU;
using ILGPU.Runtime;

namespace AutoencoderGpu.Kernels.Executors;

/// <summary>
/// A data set on the device: the images as bytes, the order in which an epoch visits them, the learning rate of each step, and
/// the losses that the epoch leaves behind.
/// </summary>
public sealed class Feed : IDisposable
{
    private readonly Accelerator _accelerator;
    private readonly MemoryBuffer1D<byte, Stride1D.Dense> _images;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> _order;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _learningRates;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _losses;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> _origin;

    internal Feed(Accelerator accelerator, ReadOnlySpan<byte> images, int imageSize, int batchSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(images.Length, imageSize);
        _accelerator = accelerator;
        Count = images.Length / imageSize;
        BatchSize = batchSize;
        Steps = (int)((Count + (long)batchSize - 1) / batchSize);
        _images = accelerator.Allocate1D<byte>(images.Length);
        _order = accelerator.Allocate1D<int>(Count);
        _learningRates = accelerator.Allocate1D<float>(Steps);
        _losses = accelerator.Allocate1D<float>(Count);
        _origin = accelerator.Allocate1D<int>(1);
        _images.View.AsContiguous().CopyFromCPU(accelerator.DefaultStream, images);
        _learningRates.MemSetToZero();
        _losses.MemSetToZero();
        _origin.MemSetToZero();
        SetOrder(Enumerable.Range(0, Count).ToArray());
    }

    /// <summary>Images, N.</summary>
    public int Count { get; }

    /// <summary>Images of a mini-batch, B; the last of an epoch may have fewer.</summary>
    public int BatchSize { get; }

    /// <summary>Mini-batches of an epoch, ⌈N / B⌉.</summary>
    public int Steps { get; }

    /// <summary>The mini-batch of a step.</summary>
    public MiniBatch this[int step] => MiniBatchOf(step, BatchSize, Count);

    /// <summary>Sets the order of visits, (N).</summary>
    public void SetOrder(ReadOnlySpan<int> order)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(order.Length, Count);
        _order.View.AsContiguous().CopyFromCPU(_accelerator.DefaultStream, order);
        _accelerator.DefaultStream.Synchronize();
    }

    /// <summary>Sets the learning rate of every step, (Steps).</summary>
    public void SetLearningRates(ReadOnlySpan<float> rates)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(rates.Length, Steps);
        _learningRates.View.AsContiguous().CopyFromCPU(_accelerator.DefaultStream, rates);
        _accelerator.DefaultStream.Synchronize();
    }

    /// <summary>
    /// The losses of a run of steps, one an image in the order of visits, after all that was started on the device has ended.
    /// </summary>
    public float[] ReadLosses(int firstStep, int steps)
    {
        var first = this[firstStep].First;
        var last = this[firstStep + steps - 1];
        var losses = new float[last.First + last.Count - first];
        _losses.View.AsContiguous().SubView(first, losses.Length).CopyToCPU(_accelerator.DefaultStream, losses);
        _accelerator.DefaultStream.Synchronize();
        return losses;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _images.Dispose();
        _order.Dispose();
        _learningRates.Dispose();
        _losses.Dispose();
        _origin.Dispose();
    }

    internal static MiniBatch MiniBatchOf(int step, int batchSize, int count) =>
        new(step, batchSize, Math.Min(batchSize, count - step * batchSize));

    internal Buffers With(Arena arena) => new(
        arena.View,
        _images.View.AsContiguous(),
        _order.View.AsContiguous(),
        _learningRates.View.AsContiguous(),
        _losses.View.AsContiguous(),
        _origin.View.AsContiguous());
}
