using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;
using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// Max-pooling over windows of 2×2 with stride 2: y[b, p, q, c] = max over r, s of x[b, 2p+r, 2q+s, c], and which of the window's pixels
/// that was, 2r + s, of several the first. y is a value of the activation that made x. An odd last row or column is dropped, as in PyTorch.
/// </summary>
public struct MaxPool2x2 : IOperation<MaxPool2x2>
{
    internal FeatureMap Input;
    internal FeatureMap Output;
    internal FeatureMap Argmax;

    /// <summary>The forward pass.</summary>
    /// <param name="input">x (B, H, W, C).</param>
    /// <param name="output">y (B, ⌊H/2⌋, ⌊W/2⌋, C); overwritten.</param>
    /// <param name="argmax">The maxima's places, 0 to 3, (B, ⌊H/2⌋, ⌊W/2⌋, C); overwritten.</param>
    /// <exception cref="ArgumentException">The maps' shapes do not match.</exception>
    public static Instruction Of(FeatureMap input, FeatureMap output, FeatureMap argmax)
    {
        RequireShapes(input, output, argmax);
        return new Instruction<MaxPool2x2>(new() { Input = input, Output = output, Argmax = argmax });
    }

    static IReadOnlyList<IKernel<MaxPool2x2>> IOperation<MaxPool2x2>.Kernels { get; } =
        [PortableKernel<MaxPool2x2>.Elementwise("MaxPool2x2", Kernel, (i, batch) => batch * i.Output.Size)];

    static void IOperation<MaxPool2x2>.Visit(ref MaxPool2x2 i, OperandVisitor operands)
    {
        operands.Read(ref i.Input);
        operands.Write(ref i.Output);
        operands.Write(ref i.Argmax);
    }

    static Cost IOperation<MaxPool2x2>.Cost(in MaxPool2x2 i, int batch) =>
        new(3L * batch * i.Output.Size, 4L * batch * (i.Input.Size + 2 * i.Output.Size));

    internal static void Kernel(MaxPool2x2 i, Buffers buffers, MiniBatch batch)
    {
        var index = Grid.GlobalIndex.X;
        if (index >= batch.Count * i.Output.Size)
            return;
        int pixel = index / i.Output.Channels, channel = index - pixel * i.Output.Channels;
        var window = Window(i.Input, i.Output, pixel) + channel;
        float a = buffers.Arena[window], b = buffers.Arena[window + i.Input.Channels];
        window += i.Input.RowStride;
        float c = buffers.Arena[window], d = buffers.Arena[window + i.Input.Channels];
        buffers.Arena[i.Output.AtPixel(pixel) + channel] = Max(a, b, c, d);
        buffers.Arena[i.Argmax.AtPixelOf(i.Output, pixel) + channel] = ArgmaxOf(a, b, c, d);
    }

    /// <summary>The greatest of a window's values, for portable kernels.</summary>
    internal static float Max(float a, float b, float c, float d) =>
        IntrinsicMath.Max(IntrinsicMath.Max(a, b), IntrinsicMath.Max(c, d));

    /// <summary>The argmax of a window's values, for portable kernels.</summary>
    internal static float ArgmaxOf(float a, float b, float c, float d)
    {
        var max = Max(a, b, c, d);
        return a == max ? 0f : b == max ? 1f : c == max ? 2f : 3f;
    }

    static unsafe void IOperation<MaxPool2x2>.Run<V>(in MaxPool2x2 i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        foreach (var pixel in worker.Items(batch.Count * i.Output.Height * i.Output.Width, grain: i.Output.Width))
        {
            var top = buffers.Arena + Window(i.Input, i.Output, pixel);
            float* output = buffers.Arena + i.Output.AtPixel(pixel), argmax = buffers.Arena + i.Argmax.AtPixel(pixel);
            Pool<V>(top, i.Input.Channels, i.Input.RowStride, output, argmax, i.Input.Channels);
        }
    }

    /// <summary>Pools some channels of a window.</summary>
    /// <param name="window">Its first pixel; the next is <paramref name="right"/> floats on, the next row <paramref name="down"/>.</param>
    /// <param name="output">Maxima; overwritten.</param>
    /// <param name="argmax">Overwritten.</param>
    internal static unsafe void Pool<V>(float* window, nint right, nint down, float* output, float* argmax, int count)
        where V : unmanaged, ISimd<V>
    {
        var c = 0;
        for (; c <= count - V.Width; c += V.Width)
            Pool<V>(window + c, right, down, output + c, argmax + c);
        for (; c < count; c++)
            Pool<SimdScalar>(window + c, right, down, output + c, argmax + c);
    }

    /// <summary>The greatest of a window's values, and which was the first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T Max<T>(T a, T b, T c, T d, out T argmax)
        where T : unmanaged, ISimd<T>
    {
        var max = T.Max(T.Max(a, b), T.Max(c, d));
        argmax = T.WhereEqual(c, max, T.Broadcast(2f), T.Broadcast(3f));
        argmax = T.WhereEqual(a, max, default, T.WhereEqual(b, max, T.Broadcast(1f), argmax));
        return max;
    }

    private static unsafe void Pool<T>(float* window, nint right, nint down, float* output, float* argmax)
        where T : unmanaged, ISimd<T>
    {
        var bottom = window + down;
        T.Store(Max(T.Load(window), T.Load(window + right), T.Load(bottom), T.Load(bottom + right), out var place), output);
        T.Store(place, argmax);
    }

    /// <summary>Arena index of the top left pixel of the window of a pooled pixel.</summary>
    internal static int Window(in FeatureMap map, in FeatureMap pooled, int pixel)
    {
        var row = pixel / pooled.Width;
        var image = row / pooled.Height;
        return map.At(image, 2 * (row - image * pooled.Height), 2 * (pixel - row * pooled.Width));
    }

    internal static void RequireShapes(FeatureMap input, FeatureMap output, FeatureMap argmax)
    {
        Shapes.Require(
            output.Height == input.Height / 2 && output.Width == input.Width / 2 && output.Channels == input.Channels && output.Size > 0,
            "MaxPool2x2", "an output of half the input's height and width", input, output);
        Shapes.Require(argmax.HasShapeOf(output), "MaxPool2x2", "argmax of the output's shape", output, argmax);
    }
}
