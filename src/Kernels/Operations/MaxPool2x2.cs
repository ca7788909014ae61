using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Simd;
using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// Max-pooling over windows of 2×2 with stride 2: y[b, p, q, c] = max over r, s of x[b, 2p+r, 2q+s, c]. Backward, the gradient of
/// y goes to the winner, the first of the window's pixels, row by row, that holds the maximum; the others get 0. y is a value of
/// the activation that made x, whose derivative the gradient of y has been multiplied by already. An odd last row or column is
/// dropped, as in PyTorch, and its gradient is never written: it stays 0.
/// </summary>
public static class MaxPool2x2
{
    /// <summary>The forward pass.</summary>
    /// <param name="input">x (B, H, W, C).</param>
    /// <param name="output">y (B, ⌊H/2⌋, ⌊W/2⌋, C); overwritten.</param>
    /// <param name="winners">2r + s of the winners, 0 to 3, (B, ⌊H/2⌋, ⌊W/2⌋, C); overwritten.</param>
    /// <exception cref="ArgumentException">The maps' shapes do not match.</exception>
    public static Instruction Forward(FeatureMap input, FeatureMap output, FeatureMap winners)
    {
        RequireShapes(input, output, winners);
        return new() { Operation = Operation.MaxPoolForward, Input = input, Output = output, Winners = winners };
    }

    /// <summary>The gradient of the input.</summary>
    /// <param name="outputGradient">(B, ⌊H/2⌋, ⌊W/2⌋, C).</param>
    /// <param name="winners">As written by the forward pass.</param>
    /// <param name="inputGradient">(B, H, W, C); overwritten.</param>
    /// <exception cref="ArgumentException">The maps' shapes do not match.</exception>
    public static Instruction Backward(FeatureMap outputGradient, FeatureMap winners, FeatureMap inputGradient)
    {
        RequireShapes(inputGradient, outputGradient, winners);
        return new() { Operation = Operation.MaxPoolBackward, Input = outputGradient, Winners = winners, Output = inputGradient };
    }

    internal static Cost Cost(in Instruction i, int batch) =>
        new(3L * batch * i.Output.Size, 4L * batch * (i.Input.Size + 2 * i.Output.Size));

    internal static Cost BackwardCost(in Instruction i, int batch) =>
        new(4L * batch * i.Input.Size, 4L * batch * (i.Output.Size + 2 * i.Input.Size));

    internal static void ForwardKernel(Instruction i, Buffers buffers, MiniBatch batch)
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
        buffers.Arena[i.Winners.AtPixelOf(i.Output, pixel) + channel] = Winner(a, b, c, d);
    }

    internal static void BackwardKernel(Instruction i, Buffers buffers, MiniBatch batch)
    {
        var index = Grid.GlobalIndex.X;
        if (index >= batch.Count * i.Input.Size)
            return;
        int pixel = index / i.Input.Channels, channel = index - pixel * i.Input.Channels;
        float gradient = buffers.Arena[i.Input.AtPixel(pixel) + channel], winner = buffers.Arena[i.Winners.AtPixelOf(i.Input, pixel) + channel];
        var target = Window(i.Output, i.Input, pixel) + channel;
        buffers.Arena[target] = winner == 0f ? gradient : 0f;
        buffers.Arena[target + i.Output.Channels] = winner == 1f ? gradient : 0f;
        target += i.Output.RowStride;
        buffers.Arena[target] = winner == 2f ? gradient : 0f;
        buffers.Arena[target + i.Output.Channels] = winner == 3f ? gradient : 0f;
    }

    /// <summary>The greatest of a window's values, for portable kernels.</summary>
    internal static float Max(float a, float b, float c, float d) =>
        IntrinsicMath.Max(IntrinsicMath.Max(a, b), IntrinsicMath.Max(c, d));

    /// <summary>The winner of a window's values, for portable kernels.</summary>
    internal static float Winner(float a, float b, float c, float d)
    {
        var max = Max(a, b, c, d);
        return a == max ? 0f : b == max ? 1f : c == max ? 2f : 3f;
    }

    internal static unsafe void RunForward<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        foreach (var pixel in worker.Items(batch.Count * i.Output.Height * i.Output.Width, grain: i.Output.Width))
        {
            var top = buffers.Arena + Window(i.Input, i.Output, pixel);
            float* output = buffers.Arena + i.Output.AtPixel(pixel), winners = buffers.Arena + i.Winners.AtPixel(pixel);
            Pool<V>(top, i.Input.Channels, i.Input.RowStride, output, winners, i.Input.Channels);
        }
    }

    internal static unsafe void RunBackward<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        foreach (var row in worker.Items(batch.Count * i.Input.Height))
        {
            var pixel = row * i.Input.Width;
            SpreadRow<V>(i, buffers, pixel, buffers.Arena + Window(i.Output, i.Input, pixel), i.Output.RowStride);
        }
    }

    /// <summary>Pools some channels of a window.</summary>
    /// <param name="window">Its first pixel; the next is <paramref name="right"/> floats on, the next row <paramref name="down"/>.</param>
    /// <param name="output">Maxima; overwritten.</param>
    /// <param name="winners">Overwritten.</param>
    internal static unsafe void Pool<V>(float* window, nint right, nint down, float* output, float* winners, int count)
        where V : unmanaged, ISimd<V>
    {
        var c = 0;
        for (; c <= count - V.Width; c += V.Width)
            Pool<V>(window + c, right, down, output + c, winners + c);
        for (; c < count; c++)
            Pool<SimdScalar>(window + c, right, down, output + c, winners + c);
    }

    /// <summary>The greatest of a window's values, and which was the first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T Max<T>(T a, T b, T c, T d, out T winner)
        where T : unmanaged, ISimd<T>
    {
        var max = T.Max(T.Max(a, b), T.Max(c, d));
        winner = T.WhereEqual(c, max, T.Broadcast(2f), T.Broadcast(3f));
        winner = T.WhereEqual(a, max, default, T.WhereEqual(b, max, T.Broadcast(1f), winner));
        return max;
    }

    /// <summary>The gradients of the windows of a pooled row, to two rows.</summary>
    /// <param name="pixel">The row's first pixel, counted over the mini-batch.</param>
    /// <param name="target">The first window's first pixel; overwritten, as is the row <paramref name="down"/> floats on.</param>
    internal static unsafe void SpreadRow<V>(in Instruction i, in HostBuffers buffers, int pixel, float* target, nint down)
        where V : unmanaged, ISimd<V>
    {
        float* gradient = buffers.Arena + i.Input.AtPixel(pixel), winner = buffers.Arena + i.Winners.AtPixel(pixel);
        int channels = i.Input.Channels;
        for (var q = 0; q < i.Input.Width; q++, target += channels)
        {
            for (var end = target + channels; target < end;)
            {
                var vector = end - target >= V.Width;
                var width = vector ? V.Width : 1;
                if (vector)
                    Spread<V>(gradient, winner, target, channels, down);
                else
                    Spread<SimdScalar>(gradient, winner, target, channels, down);
                gradient += width;
                winner += width;
                target += width;
            }
        }
    }

    private static unsafe void Pool<T>(float* window, nint right, nint down, float* output, float* winners)
        where T : unmanaged, ISimd<T>
    {
        var bottom = window + down;
        T.Store(Max(T.Load(window), T.Load(window + right), T.Load(bottom), T.Load(bottom + right), out var winner), output);
        T.Store(winner, winners);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Spread<T>(float* gradient, float* winners, float* target, nint right, nint down)
        where T : unmanaged, ISimd<T>
    {
        T value = T.Load(gradient), winner = T.Load(winners), zero = default;
        T.Store(T.WhereEqual(winner, zero, value, zero), target);
        T.Store(T.WhereEqual(winner, T.Broadcast(1f), value, zero), target + right);
        target += down;
        T.Store(T.WhereEqual(winner, T.Broadcast(2f), value, zero), target);
        T.Store(T.WhereEqual(winner, T.Broadcast(3f), value, zero), target + right);
    }

    /// <summary>Arena index of the top left pixel of the window of a pooled pixel.</summary>
    internal static int Window(in FeatureMap map, in FeatureMap pooled, int pixel)
    {
        var row = pixel / pooled.Width;
        var image = row / pooled.Height;
        return map.At(image, 2 * (row - image * pooled.Height), 2 * (pixel - row * pooled.Width));
    }

    internal static void RequireShapes(FeatureMap input, FeatureMap output, FeatureMap winners)
    {
        Shapes.Require(
            output.Height == input.Height / 2 && output.Width == input.Width / 2 && output.Channels == input.Channels && output.Size > 0,
            "MaxPool2x2", "an output of half the input's height and width", input, output);
        Shapes.Require(winners.HasShapeOf(output), "MaxPool2x2", "winners of the output's shape", output, winners);
    }
}
