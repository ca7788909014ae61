using ILGPU;
using ILGPU.Runtime;

namespace AutoencoderGpu.Kernels.Executors;

/// <summary>An accelerator's memory, of which no more is taken than is allowed, and the stream that orders all work on it.</summary>
/// <param name="stream">Of the accelerator; all of a program's copies and kernels run on it, so that none needs to wait for another.</param>
/// <param name="limit">Bytes at most.</param>
/// <param name="device">Its name, for people.</param>
internal sealed class DeviceMemory(AcceleratorStream stream, long limit, string device)
{
    private long _taken;

    /// <summary>Orders all work on the memory.</summary>
    public AcceleratorStream Stream { get; } = stream;

    /// <summary>Bytes that may still be taken.</summary>
    public long Available => limit - _taken;

    /// <summary>Takes memory, all zeros.</summary>
    /// <exception cref="AcceleratorException">It would be more than is allowed, or than there is.</exception>
    public MemoryBuffer1D<T, Stride1D.Dense> Take<T>(long length)
        where T : unmanaged
    {
        var bytes = length * Interop.SizeOf<T>();
        if (bytes > Available)
            throw NotEnough(bytes);
        MemoryBuffer1D<T, Stride1D.Dense>? buffer = null;
        try
        {
            buffer = Stream.Accelerator.Allocate1D<T>(length);
            buffer.MemSetToZero(Stream);
            _taken += bytes;
            return buffer;
        }
        catch (Exception e) when (AcceleratorErrors.IsOutOfMemory(e))
        {
            // Some drivers find out only when memory is used.
            buffer?.Dispose();
            throw NotEnough(bytes, e);
        }
    }

    /// <summary>Gives memory back, if it was taken.</summary>
    public void Return(MemoryBuffer? buffer)
    {
        if (buffer is null or { IsDisposed: true })
            return;
        _taken -= buffer.LengthInBytes;
        // Whatever was started may still use it.
        Stream.Synchronize();
        buffer.Dispose();
    }

    /// <summary>That memory does not suffice.</summary>
    /// <param name="bytes">How much was asked for.</param>
    /// <param name="inner">What the device says; null where it was not asked.</param>
    public AcceleratorException NotEnough(long bytes, Exception? inner = null)
    {
        var lack = inner is null ? $"{Megabytes(Available)} of the {Megabytes(limit)} that may be used are left" : "the device has not so much";
        return new($"not enough memory on {device}: {Megabytes(bytes)} are needed, and {lack}", inner) { IsOutOfMemory = true };
    }

    /// <summary>Bytes for people.</summary>
    public static string Megabytes(long bytes) => FormattableString.Invariant($"{bytes / (double)(1 << 20):N1} MiB");
}
