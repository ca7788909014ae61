using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Threads;
using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// A map as flat values in PyTorch's order, or the other way round: flat[b, (c·H + p)·W + q] = map[b, p, q, c], between a map (B, H, W, C) and
/// (B, C·H·W). Each is the gradient of the other; what is copied are values of one activation or their gradients.
/// </summary>
public struct ReorderChannels : IOperation<ReorderChannels>
{
    internal FeatureMap Input;
    internal FeatureMap Output;
    internal Direction Way;

    /// <summary>Which of both is the map; where it is a single pixel, shapes do not tell.</summary>
    internal enum Direction
    {
        /// <summary>The input.</summary>
        Flatten,

        /// <summary>The output.</summary>
        Unflatten,
    }

    /// <summary>Copies a map to flat values.</summary>
    /// <param name="map">(B, H, W, C).</param>
    /// <param name="flat">(B, C·H·W), without border; overwritten.</param>
    /// <exception cref="ArgumentException">There are not as many values.</exception>
    public static Instruction Flatten(FeatureMap map, FeatureMap flat)
    {
        RequireShapes(map, flat);
        return new Instruction<ReorderChannels>(new() { Input = map, Output = flat, Way = Direction.Flatten });
    }

    /// <summary>Copies flat values to a map.</summary>
    /// <param name="flat">(B, C·H·W), without border.</param>
    /// <param name="map">(B, H, W, C); overwritten.</param>
    /// <exception cref="ArgumentException">There are not as many values.</exception>
    public static Instruction Unflatten(FeatureMap flat, FeatureMap map)
    {
        RequireShapes(map, flat);
        return new Instruction<ReorderChannels>(new() { Input = flat, Output = map, Way = Direction.Unflatten });
    }

    static IReadOnlyList<IKernel<ReorderChannels>> IOperation<ReorderChannels>.Kernels { get; } =
        [PortableKernel<ReorderChannels>.Elementwise("ReorderChannels", Kernel, (i, batch) => batch * i.Output.Size)];

    static void IOperation<ReorderChannels>.Visit(ref ReorderChannels i, OperandVisitor operands)
    {
        operands.Read(ref i.Input, i.Way == Direction.Flatten ? Border.Any : Border.None);
        operands.Write(ref i.Output, i.Way == Direction.Flatten ? Border.None : Border.Any);
    }

    static Cost IOperation<ReorderChannels>.Cost(in ReorderChannels i, int batch) => new(0, 8L * batch * i.Output.Size);

    internal static void Kernel(ReorderChannels i, Buffers buffers, MiniBatch batch)
    {
        // Counted as the map is, so that neighbouring threads have neighbouring channels of it.
        int index = Grid.GlobalIndex.X, size = i.Output.Size;
        if (index >= batch.Count * size)
            return;
        var flattens = i.Way == Direction.Flatten;
        var map = flattens ? i.Input : i.Output;
        int pixel = index / map.Channels, channel = index - pixel * map.Channels, area = map.Height * map.Width, image = pixel / area;
        int inMap = map.AtPixel(pixel) + channel, inFlat = image * size + channel * area + pixel - image * area;
        if (flattens)
            buffers.Arena[i.Output.Offset + inFlat] = buffers.Arena[inMap];
        else
            buffers.Arena[inMap] = buffers.Arena[i.Input.Offset + inFlat];
    }

    /// <summary>Workers take rows of the map, each a matrix of pixels and channels that is transposed.</summary>
    static unsafe void IOperation<ReorderChannels>.Run<V>(in ReorderChannels i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        var flattens = i.Way == Direction.Flatten;
        var (map, flat) = flattens ? (i.Input, i.Output) : (i.Output, i.Input);
        var area = map.Height * map.Width;
        foreach (var row in worker.Items(batch.Count * map.Height))
        {
            int image = row / map.Height, y = row - image * map.Height;
            float* inMap = buffers.Arena + map.At(image, y, 0), inFlat = buffers.Arena + flat.At(image, 0, 0) + y * map.Width;
            if (flattens)
                Copy(inMap, map.Channels, 1, map.Width, map.Channels, inFlat, area);
            else
                Copy(inFlat, 1, area, map.Width, map.Channels, inMap, 1, map.Channels);
        }
    }

    /// <summary>target[q, c] = source[q, c] for pixels of a row and channels, at the strides of either.</summary>
    private static unsafe void Copy(
        float* source, nint sourcePixel, nint sourceChannel, int width, int channels, float* target, nint targetChannel, nint targetPixel = 1)
    {
        for (var c = 0; c < channels; c++)
        {
            for (var q = 0; q < width; q++)
                target[q * targetPixel + c * targetChannel] = source[q * sourcePixel + c * sourceChannel];
        }
    }

    private static void RequireShapes(FeatureMap map, FeatureMap flat) => Shapes.Require(
        map.Size == flat.Size && flat.Height == 1 && flat.Width == 1,
        "ReorderChannels", "a map and as many flat values", map, flat);
}
