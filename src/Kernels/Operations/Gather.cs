using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Simd;
using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// The mini-batch: x[b] = scale · images[order[first + b]] + shift, from bytes (N, H·W) to a map (B, H, W, 1). Scale and shift
/// are those of (byte / 255 − mean) / deviation.
/// </summary>
public static class Gather
{
    /// <summary>Gathers into <paramref name="output"/>.</summary>
    /// <param name="output">(B, H, W, 1); overwritten.</param>
    /// <param name="mean">Of all pixels, in 0 to 1.</param>
    /// <param name="deviation">Of all pixels, above 0.</param>
    public static Instruction Forward(FeatureMap output, double mean, double deviation)
    {
        Shapes.Require(output.Channels == 1, "Gather", "one channel", output);
        return new()
        {
            Operation = Operation.Gather,
            Output = output,
            Scale = (float)(1 / (255 * deviation)),
            Shift = (float)(-mean / deviation),
        };
    }

    internal static Cost Cost(in Instruction i, int batch) => new(2L * batch * i.Output.Size, 5L * batch * i.Output.Size);

    internal static void Kernel(Instruction i, Buffers buffers, MiniBatch batch)
    {
        var index = Grid.GlobalIndex.X;
        var size = i.Output.Size;
        if (index >= batch.Count * size)
            return;
        var image = index / size;
        var pixel = index - image * size;
        var source = (long)buffers.Order[batch.From(buffers).First + image] * size + pixel;
        buffers.Arena[i.Output.AtPixel(index)] = buffers.Images[source] * i.Scale + i.Shift;
    }

    internal static unsafe void Run<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        // Without a border an image is one row.
        var map = i.Output;
        int rows = map.Border == 0 ? 1 : map.Height, row = map.Size / rows;
        foreach (var item in worker.Items(batch.Count * rows, grain: rows))
        {
            var image = item / rows;
            var y = item - image * rows;
            var source = buffers.Images + (long)buffers.Order[batch.First + image] * map.Size + y * row;
            var target = buffers.Arena + map.At(image, y, 0);
            var x = 0;
            for (; x <= row - V.Width; x += V.Width)
                Scale<V>(i, source + x, target + x);
            for (; x < row; x++)
                Scale<SimdScalar>(i, source + x, target + x);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Scale<T>(in Instruction i, byte* source, float* target)
        where T : unmanaged, ISimd<T> =>
        T.Store(T.MultiplyAdd(T.LoadBytes(source), T.Broadcast(i.Scale), T.Broadcast(i.Shift)), target);
}
