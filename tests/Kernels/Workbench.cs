using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Instructions;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

/// <summary>
/// An arena that is a NaN of a known pattern wherever a test has put nothing, borders of maps excepted. An operation that uses
/// what it must not read yields NaN, and one that writes what it must not is found by comparing all bits.
/// </summary>
/// <param name="executor">Runs the operation.</param>
/// <param name="batch">Images that maps have room for.</param>
/// <param name="count">Images of the mini-batch.</param>
internal sealed class Workbench(Executor executor, int batch, int count)
{
    /// <summary>Learning rate of the step that is run; the other step's is NaN.</summary>
    public const float Rate = 0.125f;

    private const int Guard = 64;
    private readonly List<float> _before = [.. Enumerable.Repeat(Sentinel, Guard)];
    private readonly HashSet<int> _written = [];
    private float[] _after = [];

    public static float Sentinel { get; } = BitConverter.Int32BitsToSingle(0x7FC0BEEF);

    public int Count => count;

    /// <summary>Steps before the two.</summary>
    public int StepsBefore { get; set; }

    /// <summary>One loss an image of the mini-batch.</summary>
    public float[] Losses { get; private set; } = [];

    /// <summary>A map; its values are (count, C, H, W), and images beyond stay NaN.</summary>
    public FeatureMap Map(int height, int width, int channels, int border, float[]? values = null)
    {
        var map = new FeatureMap(_before.Count, height, width, channels, border);
        Allocate(batch * map.ImageStride);
        for (var image = 0; image < batch && border > 0; image++)
        {
            for (var i = 0; i < map.ImageStride; i++)
            {
                int y = i / map.RowStride - 1, x = i % map.RowStride / channels - 1;
                if (y < 0 || y >= height || x < 0 || x >= width)
                    _before[map.Offset + image * map.ImageStride + i] = 0;
            }
        }

        if (values is not null)
            ForEach(map, (arena, index) => _before[arena] = values[index]);
        return map;
    }

    public int Slice(int length, float[]? values = null)
    {
        var offset = _before.Count;
        Allocate(length);
        for (var i = 0; values is not null && i < length; i++)
            _before[offset + i] = values[i];
        return offset;
    }

    /// <summary>Says that inner pixels of the mini-batch's images may be written.</summary>
    public FeatureMap Writable(FeatureMap map, int? rows = null, int? columns = null)
    {
        for (var image = 0; image < count; image++)
        {
            for (var y = 0; y < (rows ?? map.Height); y++)
                Writable(map.At(image, y, 0), (columns ?? map.Width) * map.Channels);
        }

        return map;
    }

    public int Writable(int offset, int length)
    {
        _written.UnionWith(Enumerable.Range(offset, length));
        return offset;
    }

    /// <summary>Runs the second of two steps and demands that only what is writable has changed.</summary>
    public void Run(params Instruction[] instructions) => Run(new byte[batch + count], 1, null, instructions);

    public void Run(byte[] images, int imageSize, int[]? order, params Instruction[] instructions)
    {
        using var arena = executor.CreateArena(_before.Count);
        arena.Write(0, _before.ToArray());
        using var feed = executor.CreateFeed(images, imageSize, batch);
        Assert.Equal((batch + count, 2), (feed.Count, feed.Steps));
        feed.SetLearningRates([float.NaN, Rate], StepsBefore);
        if (order is not null)
            feed.SetOrder(order);
        executor.Run(new InstructionList(instructions), arena, feed, 1, 1);
        _after = new float[_before.Count];
        arena.Read(0, _after);
        for (var i = 0; i < _after.Length; i++)
        {
            if (!_written.Contains(i) && BitConverter.SingleToInt32Bits(_after[i]) != BitConverter.SingleToInt32Bits(_before[i]))
                Assert.Fail($"{instructions[^1].Name} wrote {_after[i]:R} at {i}, where {_before[i]:R} was to stay.");
        }

        Assert.All(feed.ReadLosses(0, 1), loss => Assert.Equal(0f, loss));
        Losses = feed.ReadLosses(1, 1);
    }

    /// <summary>The mini-batch's images, (count, C, H, W).</summary>
    public float[] Read(FeatureMap map)
    {
        var values = new float[count * map.Size];
        ForEach(map, (arena, index) => values[index] = _after[arena]);
        return values;
    }

    public float[] Read(int offset, int length) => _after[offset..(offset + length)];

    private void ForEach(FeatureMap map, Action<int, int> visit)
    {
        var index = 0;
        for (var image = 0; image < count; image++)
        {
            for (var c = 0; c < map.Channels; c++)
            {
                for (var y = 0; y < map.Height; y++)
                {
                    for (var x = 0; x < map.Width; x++)
                        visit(map.At(image, y, x) + c, index++);
                }
            }
        }
    }

    private void Allocate(int length)
    {
        length = (length + Arena.Alignment - 1) / Arena.Alignment * Arena.Alignment;
        _before.AddRange(Enumerable.Repeat(Sentinel, length + Guard));
    }
}
