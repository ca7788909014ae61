using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;
using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// The gradient of what <see cref="MaxPool2x2"/> read: that of y goes to the pixel of each window that held the maximum; the others get 0.
/// The gradient of y has been multiplied by the derivative of the activation that made x already, since y is one of its values. An odd last
/// row or column gets nothing and stays 0.
/// </summary>
public struct MaxPool2x2Backward : IOperation<MaxPool2x2Backward>
{
    internal FeatureMap OutputGradient;
    internal FeatureMap Argmax;
    internal FeatureMap InputGradient;

    /// <summary>The gradient of the input.</summary>
    /// <param name="outputGradient">(B, ⌊H/2⌋, ⌊W/2⌋, C).</param>
    /// <param name="argmax">As written by the forward pass.</param>
    /// <param name="inputGradient">(B, H, W, C); overwritten.</param>
    /// <exception cref="ArgumentException">The maps' shapes do not match.</exception>
    public static Instruction Of(FeatureMap outputGradient, FeatureMap argmax, FeatureMap inputGradient)
    {
        MaxPool2x2.RequireShapes(inputGradient, outputGradient, argmax);
        return new Instruction<MaxPool2x2Backward>(
            new() { OutputGradient = outputGradient, Argmax = argmax, InputGradient = inputGradient });
    }

    static IReadOnlyList<IKernel<MaxPool2x2Backward>> IOperation<MaxPool2x2Backward>.Kernels { get; } =
        [PortableKernel<MaxPool2x2Backward>.Elementwise("MaxPool2x2Backward", Kernel, (i, batch) => batch * i.OutputGradient.Size)];

    static void IOperation<MaxPool2x2Backward>.Visit(ref MaxPool2x2Backward i, OperandVisitor operands)
    {
        operands.Read(ref i.OutputGradient);
        operands.Read(ref i.Argmax);
        operands.Write(ref i.InputGradient);
    }

    static Cost IOperation<MaxPool2x2Backward>.Cost(in MaxPool2x2Backward i, int batch) =>
        new(4L * batch * i.OutputGradient.Size, 4L * batch * (i.InputGradient.Size + 2 * i.OutputGradient.Size));

    internal static void Kernel(MaxPool2x2Backward i, Buffers buffers, MiniBatch batch)
    {
        var index = Grid.GlobalIndex.X;
        if (index >= batch.Count * i.OutputGradient.Size)
            return;
        int pixel = index / i.OutputGradient.Channels, channel = index - pixel * i.OutputGradient.Channels;
        float gradient = buffers.Arena[i.OutputGradient.AtPixel(pixel) + channel], argmax = buffers.Arena[i.Argmax.AtPixelOf(i.OutputGradient, pixel) + channel];
        var target = MaxPool2x2.Window(i.InputGradient, i.OutputGradient, pixel) + channel;
        buffers.Arena[target] = argmax == 0f ? gradient : 0f;
        buffers.Arena[target + i.InputGradient.Channels] = argmax == 1f ? gradient : 0f;
        target += i.InputGradient.RowStride;
        buffers.Arena[target] = argmax == 2f ? gradient : 0f;
        buffers.Arena[target + i.InputGradient.Channels] = argmax == 3f ? gradient : 0f;
    }

    static unsafe void IOperation<MaxPool2x2Backward>.Run<V>(in MaxPool2x2Backward i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        foreach (var row in worker.Items(batch.Count * i.OutputGradient.Height))
        {
            var pixel = row * i.OutputGradient.Width;
            SpreadRow<V>(
                i.OutputGradient, i.Argmax, buffers, pixel, buffers.Arena + MaxPool2x2.Window(i.InputGradient, i.OutputGradient, pixel), i.InputGradient.RowStride);
        }
    }

    /// <summary>The gradients of the windows of a pooled row, to two rows.</summary>
    /// <param name="pixel">The row's first pixel, counted over the mini-batch.</param>
    /// <param name="target">The first window's first pixel; overwritten, as is the row <paramref name="down"/> floats on.</param>
    internal static unsafe void SpreadRow<V>(in FeatureMap outputGradient, in FeatureMap argmaxima, in HostBuffers buffers, int pixel, float* target, nint down)
        where V : unmanaged, ISimd<V>
    {
        float* gradient = buffers.Arena + outputGradient.AtPixel(pixel), argmax = buffers.Arena + argmaxima.AtPixel(pixel);
        int channels = outputGradient.Channels;
        for (var q = 0; q < outputGradient.Width; q++, target += channels)
        {
            for (var end = target + channels; target < end;)
            {
                var vector = end - target >= V.Width;
                var width = vector ? V.Width : 1;
                if (vector)
                    Spread<V>(gradient, argmax, target, channels, down);
                else
                    Spread<SimdScalar>(gradient, argmax, target, channels, down);
                gradient += width;
                argmax += width;
                target += width;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Spread<T>(float* gradient, float* argmax, float* target, nint right, nint down)
        where T : unmanaged, ISimd<T>
    {
        T value = T.Load(gradient), place = T.Load(argmax), zero = default;
        T.Store(T.WhereEqual(place, zero, value, zero), target);
        T.Store(T.WhereEqual(place, T.Broadcast(1f), value, zero), target + right);
        target += down;
        T.Store(T.WhereEqual(place, T.Broadcast(2f), value, zero), target);
        T.Store(T.WhereEqual(place, T.Broadcast(3f), value, zero), target + right);
    }
}
