using ILGPU;
using ILGPU.Runtime;

namespace AutoencoderGpu.Kernels.Executors;

/// <summary>
/// A data set on the device: the images as bytes, the order in which an epoch visits them, the learning rate of each step, and
/// the losses that the epoch leaves behind. Images that do not fit are streamed.
/// </summary>
public sealed class Feed : IDisposable
{
    /// <summary>Bytes of a part of streamed images at most: thousands of steps, beside which a wait is nothing.</summary>
    private const int LargestPart = 64 << 20;

    private readonly DeviceMemory _memory;
    private readonly MemoryBuffer1D<byte, Stride1D.Dense>? _images;
    private readonly StreamedImages? _streamed;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> _order;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _learningRates;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _losses;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> _origin;

    internal Feed(DeviceMemory memory, ReadOnlyMemory<byte> images, int imageSize, int batchSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(imageSize, 1);
        if (images.Length == 0 || images.Length % imageSize != 0)
            throw new ArgumentException($"{images.Length:N0} bytes are not whole images of {imageSize:N0} bytes, at least one.", nameof(images));
        _memory = memory;
        ImageSize = imageSize;
        Count = images.Length / imageSize;
        BatchSize = batchSize;
        Steps = (int)((Count + (long)batchSize - 1) / batchSize);
        try
        {
            _order = memory.Take<int>(Count);
            _learningRates = memory.Take<float>(Steps);
            _losses = memory.Take<float>(Count);
            _origin = memory.Take<int>(2);
            _images = TakeIfRoom(memory, images.Length);
            if (_images is not null)
            {
                _images.View.AsContiguous().CopyFromCPU(memory.Stream, images.Span);
            }
            else
            {
                _streamed = new(memory, images, imageSize, ImagesOfPart(memory, imageSize, batchSize, Count));
                // The images come in the order of visits, from the beginning of a buffer.
                Upload<int>(_order, [.. Enumerable.Range(0, Count).Select(visit => visit % _streamed.ImagesOfPart)]);
            }
        }
        catch
        {
            Dispose();
            throw;
        }

        SetOrder([.. Enumerable.Range(0, Count)]);
    }

    /// <summary>Images, N.</summary>
    public int Count { get; }

    /// <summary>Bytes of an image.</summary>
    public int ImageSize { get; }

    /// <summary>Images of a mini-batch, B; the last of an epoch may have fewer.</summary>
    public int BatchSize { get; }

    /// <summary>Mini-batches of an epoch, ⌈N / B⌉.</summary>
    public int Steps { get; }

    /// <summary>Steps of earlier epochs, which some optimisers count.</summary>
    public int StepsBefore { get; private set; }

    /// <summary>Whether the images do not fit on the device.</summary>
    public bool IsStreamed => _streamed is not null;

    /// <summary>The mini-batch of a step.</summary>
    public MiniBatch this[int step] => MiniBatch.Of(step, BatchSize, Count, StepsBefore);

    /// <summary>Sets the order of visits, (N), each the number of an image.</summary>
    public void SetOrder(ReadOnlySpan<int> order)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(order.Length, Count);
        foreach (var image in order)
        {
            if ((uint)image >= (uint)Count)
                throw new ArgumentOutOfRangeException(nameof(order), image, $"There are images 0 to {Count - 1:N0}.");
        }

        if (_streamed is null)
            Upload(_order, order);
        else
            _streamed.SetOrder(order);
    }

    /// <summary>Sets the learning rate of every step, (Steps).</summary>
    /// <param name="rates">(Steps)</param>
    /// <param name="stepsBefore">Steps of earlier epochs.</param>
    public void SetLearningRates(ReadOnlySpan<float> rates, int stepsBefore = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(rates.Length, Steps);
        ArgumentOutOfRangeException.ThrowIfNegative(stepsBefore);
        Upload(_learningRates, rates);
        StepsBefore = stepsBefore;
    }

    /// <summary>
    /// The losses of a run of steps, one an image in the order of visits, after all that was started on the device has ended.
    /// </summary>
    public float[] ReadLosses(int firstStep, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstStep);
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(steps, Steps - firstStep);
        var first = this[firstStep].First;
        var last = this[firstStep + steps - 1];
        var losses = new float[last.First + last.Count - first];
        _losses.View.AsContiguous().SubView(first, losses.Length).CopyToCPU(_memory.Stream, losses);
        _memory.Stream.Synchronize();
        return losses;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _memory.Return(_images);
        _streamed?.Dispose();
        _memory.Return(_order);
        _memory.Return(_learningRates);
        _memory.Return(_losses);
        _memory.Return(_origin);
    }

    /// <summary>What a program works on, with the images of a step, and the first step whose images are not there.</summary>
    internal (Buffers Buffers, int End) Load(Arena arena, int step)
    {
        var stepsOfPart = _streamed is null ? Steps : _streamed.ImagesOfPart / BatchSize;
        var part = step / stepsOfPart;
        var buffers = new Buffers(
            arena.View,
            _streamed?.Load(part) ?? _images!.View.AsContiguous(),
            _order.View.AsContiguous(),
            _learningRates.View.AsContiguous(),
            _losses.View.AsContiguous(),
            _origin.View.AsContiguous());
        return (buffers, Math.Min(Steps, (part + 1) * stepsOfPart));
    }

    /// <summary>Fetches the images after those that were loaded last, while these are worked on.</summary>
    internal void LoadNext() => _streamed?.LoadNext();

    /// <summary>
    /// Memory for all images, or null, and they are streamed: an eighth of what is left stays for another data set, which may have to be
    /// streamed, too; and what is left is more than a driver gives in one piece, or at all.
    /// </summary>
    private static MemoryBuffer1D<byte, Stride1D.Dense>? TakeIfRoom(DeviceMemory memory, long length)
    {
        try
        {
            return length <= memory.Available / 8 * 7 ? memory.Take<byte>(length) : null;
        }
        catch (AcceleratorException e) when (e.IsOutOfMemory)
        {
            return null;
        }
    }

    /// <summary>
    /// Whole mini-batches in an eighth of the memory that is left, so that more than one data set can be streamed, and in a quarter of the
    /// images, so that both buffers are much less than what was refused.
    /// </summary>
    private static int ImagesOfPart(DeviceMemory memory, int imageSize, int batchSize, int count)
    {
        var batch = (long)batchSize * imageSize;
        if (2 * batch > memory.Available)
            throw memory.NotEnough(2 * batch);
        var bytes = Math.Min(LargestPart, Math.Min(memory.Available / 8, (long)count * imageSize / 4));
        return (int)Math.Max(1, bytes / batch) * batchSize;
    }

    private void Upload<T>(MemoryBuffer1D<T, Stride1D.Dense> buffer, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        buffer.View.AsContiguous().CopyFromCPU(_memory.Stream, values);
        _memory.Stream.Synchronize();
    }
}
