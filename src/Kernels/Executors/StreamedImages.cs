using ILGPU;
using ILGPU.Runtime;

namespace AutoencoderGpu.Kernels.Executors;

/// <summary>
/// Images that stay in the host's memory and pass through two buffers on the device, in the order in which they are visited: while
/// the kernels work on one, the next images are copied into the other from page-locked memory, on a stream of their own.
/// </summary>
internal sealed class StreamedImages : IDisposable
{
    private const int None = -1;
    private readonly DeviceMemory _memory;
    private readonly ReadOnlyMemory<byte> _images;
    private readonly int _imageSize;
    private readonly AcceleratorStream _copies;
    private readonly PageLockedArray1D<byte> _staging;
    private readonly MemoryBuffer1D<byte, Stride1D.Dense>?[] _buffers = new MemoryBuffer1D<byte, Stride1D.Dense>[2];
    private readonly int[] _parts = [None, None]; // which part of the order each buffer holds
    private int[] _order = [];
    private int _current = None;

    /// <summary>Takes the buffers.</summary>
    /// <param name="memory">Where.</param>
    /// <param name="images">(N, imageSize) bytes, in the host's memory.</param>
    /// <param name="imageSize">Pixels of an image.</param>
    /// <param name="imagesOfPart">Images of one buffer.</param>
    public StreamedImages(DeviceMemory memory, ReadOnlyMemory<byte> images, int imageSize, int imagesOfPart)
    {
        _memory = memory;
        _images = images;
        _imageSize = imageSize;
        ImagesOfPart = imagesOfPart;
        var accelerator = memory.Stream.Accelerator;
        _copies = accelerator.CreateStream();
        _staging = accelerator.AllocatePageLocked1D<byte>((long)imagesOfPart * imageSize);
        try
        {
            for (var i = 0; i < _buffers.Length; i++)
                _buffers[i] = memory.Take<byte>(_staging.Length);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Images of one buffer.</summary>
    public int ImagesOfPart { get; }

    /// <summary>Sets the order in which images are visited.</summary>
    public void SetOrder(ReadOnlySpan<int> order)
    {
        _copies.Synchronize();
        _order = order.ToArray();
        _parts.AsSpan().Fill(None);
        _current = None;
    }

    /// <summary>The buffer with a part of the order, once its images are there.</summary>
    public ArrayView<byte> Load(int part)
    {
        if (part != _current)
        {
            // Whatever was started may use either buffer; from here on nothing does.
            _memory.Stream.Synchronize();
            if (_parts[part % 2] != part)
                Copy(part);
            _copies.Synchronize();
            _current = part;
        }

        return _buffers[part % 2]!.View.AsContiguous();
    }

    /// <summary>Starts to copy the part after the one that was loaded last, while that is worked on.</summary>
    public void LoadNext()
    {
        var next = _current + 1;
        if ((long)next * ImagesOfPart < _order.Length && _parts[next % 2] != next)
            Copy(next);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _copies.Synchronize();
        foreach (var buffer in _buffers)
            _memory.Return(buffer);
        _staging.Dispose();
        _copies.Dispose();
    }

    private void Copy(int part)
    {
        // An earlier copy may still read the page-locked memory.
        _copies.Synchronize();
        var first = part * ImagesOfPart;
        var visited = _order.AsSpan(first, Math.Min(ImagesOfPart, _order.Length - first));
        for (var i = 0; i < visited.Length; i++)
            _images.Span.Slice(visited[i] * _imageSize, _imageSize).CopyTo(_staging.Span[(i * _imageSize)..]);
        _buffers[part % 2]!.View.AsContiguous().CopyFromPageLockedAsync(_copies, _staging);
        _parts[part % 2] = part;
    }
}
