using ILGPU;
using ILGPU.Runtime;

namespace AutoencoderGpu.Kernels.Executors;

/// <summary>
/// Images that stay in the host's memory and pass through two buffers on the device, in the order in which they are visited: while
/// the kernels work on one part, the next is copied to the device, on a stream of its own, and the host gathers the one after that.
/// </summary>
/// <remarks>
/// Parts take turns at two buffers on the device and at two of page-locked memory, from which alone a copy runs beside kernels. The host
/// waits where a part ends, once in hundreds of steps, rather than have one stream wait for the other by events: OpenCL's are not to be had
/// through ILGPU, and a wait that is missing shows up on some machine, some day, as a wrong image.
/// </remarks>
internal sealed class StreamedImages : IDisposable
{
    private const int None = -1;
    private readonly DeviceMemory _memory;
    private readonly ReadOnlyMemory<byte> _images;
    private readonly int _imageSize;
    private readonly AcceleratorStream _copies;
    private readonly PageLockedArray1D<byte>?[] _staging = new PageLockedArray1D<byte>[2];
    private readonly MemoryBuffer1D<byte, Stride1D.Dense>?[] _buffers = new MemoryBuffer1D<byte, Stride1D.Dense>[2];
    private readonly int[] _gathered = [None, None]; // which part of the order is in page-locked memory
    private readonly int[] _sent = [None, None]; // and which in the device's, or on its way there
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
        try
        {
            for (var i = 0; i < _buffers.Length; i++)
            {
                _buffers[i] = memory.Take<byte>((long)imagesOfPart * imageSize);
                _staging[i] = accelerator.AllocatePageLocked1D<byte>((long)imagesOfPart * imageSize);
            }
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
        _gathered.AsSpan().Fill(None);
        _sent.AsSpan().Fill(None);
        _current = None;
    }

    /// <summary>The buffer with a part of the order, once its images are there.</summary>
    public ArrayView<byte> Load(int part)
    {
        if (part != _current)
        {
            // Whatever was started may use any buffer; from here on nothing does.
            _memory.Stream.Synchronize();
            _copies.Synchronize();
            Send(part);
            _copies.Synchronize();
            _current = part;
            if (_gathered[(part + 1) % 2] == part + 1)
                Send(part + 1);
        }

        return _buffers[part % 2]!.View.AsContiguous();
    }

    /// <summary>
    /// Sends the part after the one that was loaded last, if that is not under way, and gathers the one after that, while the
    /// device works: to be called when it has been told what to do.
    /// </summary>
    public void LoadNext()
    {
        Send(_current + 1);
        Gather(_current + 2);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _copies.Synchronize();
        foreach (var buffer in _buffers)
            _memory.Return(buffer);
        foreach (var staging in _staging)
            staging?.Dispose();
        _copies.Dispose();
    }

    /// <summary>Starts to copy a part to the device, if there is one, over the part before the last, which nothing may still use.</summary>
    private void Send(int part)
    {
        if (_sent[part % 2] == part || !Gather(part))
            return;
        _buffers[part % 2]!.View.AsContiguous().CopyFromPageLockedAsync(_copies, _staging[part % 2]!);
        _sent[part % 2] = part;
    }

    /// <summary>
    /// Collects a part in page-locked memory, over the part before the last, whose copy was waited for when it was loaded; that of the
    /// last may be under way.
    /// </summary>
    /// <returns>Whether there is such a part.</returns>
    private bool Gather(int part)
    {
        var first = (long)part * ImagesOfPart;
        if (first >= _order.Length)
            return false;
        if (_gathered[part % 2] == part)
            return true;
        var visited = _order.AsSpan((int)first, Math.Min(ImagesOfPart, _order.Length - (int)first));
        var gathered = _staging[part % 2]!.Span;
        for (var i = 0; i < visited.Length; i++)
            _images.Span.Slice(visited[i] * _imageSize, _imageSize).CopyTo(gathered[(i * _imageSize)..]);
        _gathered[part % 2] = part;
        return true;
    }
}
