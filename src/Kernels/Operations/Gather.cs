using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;
using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// The mini-batch: x[b, p, q, c] = scale[c] · images[order[first + b], p, q, c] + shift[c], from bytes (N, H, W, C) to floats (B, H, W, C).
/// Scale and shift are those of (byte / 255 − mean) / deviation, so that they are one multiply-add.
/// </summary>
public struct Gather : IOperation<Gather>
{
    internal FeatureMap Output;
    internal int Scale;
    internal int Shift;

    /// <summary>Gathers into <paramref name="output"/>.</summary>
    /// <param name="output">x (B, H, W, C); overwritten.</param>
    /// <param name="scale">Arena offset of (C).</param>
    /// <param name="shift">Arena offset of (C).</param>
    public static Instruction Of(FeatureMap output, int scale, int shift) =>
        new Instruction<Gather>(new() { Output = output, Scale = scale, Shift = shift });

    static IReadOnlyList<IKernel<Gather>> IOperation<Gather>.Kernels { get; } =
        [PortableKernel<Gather>.Elementwise("Gather", Kernel, (i, batch) => batch * i.Output.Size)];

    static void IOperation<Gather>.Visit(ref Gather i, OperandVisitor operands)
    {
        operands.Images(i.Output.Size);
        operands.Write(ref i.Output);
        operands.Read(ref i.Scale, i.Output.Channels);
        operands.Read(ref i.Shift, i.Output.Channels);
    }

    static Cost IOperation<Gather>.Cost(in Gather i, int batch) => new(2L * batch * i.Output.Size, 5L * batch * i.Output.Size);

    internal static void Kernel(Gather i, Buffers buffers, MiniBatch batch)
    {
        var index = Grid.GlobalIndex.X;
        var size = i.Output.Size;
        if (index >= batch.Count * size)
            return;
        int image = index / size, pixel = index / i.Output.Channels, channel = index - pixel * i.Output.Channels;
        var source = (long)buffers.Order[batch.From(buffers).First + image] * size + (index - image * size);
        buffers.Arena[i.Output.AtPixel(pixel) + channel] =
            buffers.Images[source] * buffers.Arena[i.Scale + channel] + buffers.Arena[i.Shift + channel];
    }

    static long IOperation<Gather>.ScratchLength<V>(in Gather i) => 2L * i.Output.Width * i.Output.Channels;

    static unsafe void IOperation<Gather>.Run<V>(in Gather i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        // Without a border an image of one channel is one row.
        var map = i.Output;
        int rows = map.Border == 0 && map.Channels == 1 ? 1 : map.Height, row = map.Size / rows;
        float* scales = buffers.Arena + i.Scale, shifts = buffers.Arena + i.Shift;
        if (map.Channels > 1)
        {
            scales = Repeated(scales, map, worker.Scratch);
            shifts = Repeated(shifts, map, worker.Scratch + row);
        }

        foreach (var item in worker.Items(batch.Count * rows, grain: rows))
        {
            var image = item / rows;
            var y = item - image * rows;
            var source = buffers.Images + (long)buffers.Order[batch.First + image] * map.Size + y * row;
            var target = buffers.Arena + map.At(image, y, 0);
            var x = 0;
            if (map.Channels == 1)
            {
                V scale = V.Broadcast(*scales), shift = V.Broadcast(*shifts);
                for (; x <= row - V.Width; x += V.Width)
                    Normalise<V>(source + x, scale, shift, target + x);
                for (; x < row; x++)
                    Normalise(source + x, SimdScalar.Load(scales), SimdScalar.Load(shifts), target + x);
                continue;
            }

            for (; x <= row - V.Width; x += V.Width)
                Normalise<V>(source + x, V.Load(scales + x), V.Load(shifts + x), target + x);
            for (; x < row; x++)
                Normalise(source + x, SimdScalar.Load(scales + x), SimdScalar.Load(shifts + x), target + x);
        }
    }

    /// <summary>The values of the channels, pixel by pixel along a row.</summary>
    private static unsafe float* Repeated(float* channels, in FeatureMap map, float* target)
    {
        for (var k = 0; k < map.Width * map.Channels; k++)
            target[k] = channels[k % map.Channels];
        return target;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Normalise<T>(byte* source, T scale, T shift, float* target)
        where T : unmanaged, ISimd<T> => T.Store(T.MultiplyAdd(T.LoadBytes(source), scale, shift), target);
}
