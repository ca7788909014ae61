using ILGPU;
using ILGPU.Runtime;

namespace AutoencoderGpu.Kernels.Executors;

/// <summary>The one buffer on the device that holds parameters, activations and gradients; it begins as zeros.</summary>
public sealed class Arena : IDisposable
{
    /// <summary>Offsets of slices are multiples of this many floats, which makes them multiples of a cache line.</summary>
    public const int Alignment = 16;

    /// <summary>Floats to take beyond the length, so that its begin can be aligned and its end read over.</summary>
    internal const int Reserve = Slack + Alignment;

    /// <summary>CPU tiles read up to so many floats beyond the slice that they need, and drop them.</summary>
    private const int Slack = 64;

    private readonly DeviceMemory _memory;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> _buffer;

    internal Arena(DeviceMemory memory, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        _memory = memory;
        _buffer = memory.Take<float>((long)length + Reserve);
        // A vector that crosses a cache line costs two accesses; the CPU's allocator promises 16 bytes only, a GPU's 256.
        var address = _buffer.Accelerator.AcceleratorType == AcceleratorType.CPU ? _buffer.NativePtr.ToInt64() / sizeof(float) : 0;
        View = _buffer.View.AsContiguous().SubView((Alignment - address % Alignment) % Alignment, (long)length + Slack);
    }

    /// <summary>Usable floats.</summary>
    public int Length { get; }

    internal ArrayView<float> View { get; }

    /// <summary>Copies floats to the device.</summary>
    public void Write(int offset, ReadOnlySpan<float> values)
    {
        Require(offset, values.Length);
        if (values.Length > 0)
            View.SubView(offset, values.Length).CopyFromCPU(_memory.Stream, values);
    }

    /// <summary>Copies floats from the device, after all that was started there has ended.</summary>
    public void Read(int offset, Span<float> values)
    {
        Require(offset, values.Length);
        if (values.Length > 0)
            View.SubView(offset, values.Length).CopyToCPU(_memory.Stream, values);
        _memory.Stream.Synchronize();
    }

    /// <summary>The inner values of an image, (H, W, C), without the border.</summary>
    public float[] ReadImage(FeatureMap map, int image)
    {
        var all = new float[map.ImageStride];
        Read(map.Offset + image * map.ImageStride, all);
        var inner = new float[map.Size];
        var row = map.Width * map.Channels;
        for (var y = 0; y < map.Height; y++)
            all.AsSpan(map.At(0, y, 0) - map.Offset, row).CopyTo(inner.AsSpan(y * row));
        return inner;
    }

    /// <summary>Writes the inner values of an image, (H, W, C).</summary>
    public void WriteImage(FeatureMap map, int image, ReadOnlySpan<float> values)
    {
        var row = map.Width * map.Channels;
        for (var y = 0; y < map.Height; y++)
            Write(map.At(image, y, 0), values.Slice(y * row, row));
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Return(_buffer);

    /// <summary>ILGPU's own check would end the process, and takes what lies beyond the length for a part.</summary>
    private void Require(int offset, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - count);
    }
}
