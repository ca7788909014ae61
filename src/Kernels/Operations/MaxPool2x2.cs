using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Simd;
using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// Max-pooling over windows of 2×2 with stride 2: y[b, p, q, c] = max over r, s of x[b, 2p+r, 2q+s, c]. Backward, the gradient of
/// y goes to the first of the window's pixels, row by row, that holds the maximum, multiplied there by the derivative of the
/// activation that made x; the others get 0. An odd last row or column is dropped, as in PyTorch, and its gradient is never
/// written: it stays 0.
/// </summary>
public static class MaxPool2x2
{
    /// <summary>The forward pass.</summary>
    /// <param name="input">x (B, H, W, C).</param>
    /// <param name="output">y (B, ⌊H/2⌋, ⌊W/2⌋, C); overwritten.</param>
    public static Instruction Forward(FeatureMap input, FeatureMap output)
    {
        RequireShapes(input, output);
        return new() { Operation = Operation.MaxPoolForward, Input = input, Output = output };
    }

    /// <summary>The gradient of the input.</summary>
    /// <param name="outputGradient">(B, ⌊H/2⌋, ⌊W/2⌋, C).</param>
    /// <param name="input">x as in the forward pass.</param>
    /// <param name="inputGradient">(B, H, W, C); overwritten.</param>
    /// <param name="inputActivation">The activation that made x.</param>
    public static Instruction Backward(
        FeatureMap outputGradient, FeatureMap input, FeatureMap inputGradient, Activation inputActivation)
    {
        RequireShapes(input, outputGradient);
        Shapes.Require(input.HasShapeOf(inputGradient), "MaxPool2x2", "an input's gradient of the input's shape", input, inputGradient);
        return new()
        {
            Operation = Operation.MaxPoolBackward,
            Input = outputGradient,
            Output = inputGradient,
            Saved = input,
            Derivative = inputActivation,
        };
    }

    internal static Cost Cost(in Instruction i, int batch) =>
        new(3L * batch * i.Output.Size, 4L * batch * (i.Input.Size + i.Output.Size));

    internal static Cost BackwardCost(in Instruction i, int batch) =>
        new(8L * batch * i.Input.Size, 4L * batch * (i.Input.Size + 2 * i.Output.Size));

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
        buffers.Arena[i.Output.AtPixel(pixel) + channel] =
            IntrinsicMath.Max(IntrinsicMath.Max(a, b), IntrinsicMath.Max(c, d));
    }

    internal static void BackwardKernel(Instruction i, Buffers buffers, MiniBatch batch)
    {
        var index = Grid.GlobalIndex.X;
        if (index >= batch.Count * i.Input.Size)
            return;
        int pixel = index / i.Input.Channels, channel = index - pixel * i.Input.Channels;
        int source = Window(i.Saved, i.Input, pixel) + channel, target = Window(i.Output, i.Input, pixel) + channel;
        float a = buffers.Arena[source], b = buffers.Arena[source + i.Saved.Channels];
        source += i.Saved.RowStride;
        float c = buffers.Arena[source], d = buffers.Arena[source + i.Saved.Channels];
        var max = IntrinsicMath.Max(IntrinsicMath.Max(a, b), IntrinsicMath.Max(c, d));
        var gradient = buffers.Arena[i.Input.AtPixel(pixel) + channel] * Activations.Derivative(i.Derivative, max);
        var winner = a == max ? 0 : b == max ? 1 : c == max ? 2 : 3;
        buffers.Arena[target] = winner == 0 ? gradient : 0f;
        buffers.Arena[target + i.Output.Channels] = winner == 1 ? gradient : 0f;
        target += i.Output.RowStride;
        buffers.Arena[target] = winner == 2 ? gradient : 0f;
        buffers.Arena[target + i.Output.Channels] = winner == 3 ? gradient : 0f;
    }

    internal static unsafe void RunForward<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        var (start, end) = worker.Share(batch.Count * i.Output.Height * i.Output.Width);
        for (var pixel = start; pixel < end; pixel++)
        {
            float* top = buffers.Arena + Window(i.Input, i.Output, pixel), bottom = top + i.Input.RowStride;
            var output = buffers.Arena + i.Output.AtPixel(pixel);
            var c = 0;
            for (; c <= i.Input.Channels - V.Width; c += V.Width)
                Forward<V>(top + c, bottom + c, output + c, i.Input.Channels);
            for (; c < i.Input.Channels; c++)
                Forward<SimdScalar>(top + c, bottom + c, output + c, i.Input.Channels);
        }
    }

    internal static unsafe void RunBackward<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        var (start, end) = worker.Share(batch.Count * i.Input.Height * i.Input.Width);
        for (var pixel = start; pixel < end; pixel++)
        {
            var source = buffers.Arena + Window(i.Saved, i.Input, pixel);
            var target = buffers.Arena + Window(i.Output, i.Input, pixel);
            var gradient = buffers.Arena + i.Input.AtPixel(pixel);
            var c = 0;
            for (; c <= i.Input.Channels - V.Width; c += V.Width)
                Backward<V>(i, source + c, gradient + c, target + c);
            for (; c < i.Input.Channels; c++)
                Backward<SimdScalar>(i, source + c, gradient + c, target + c);
        }
    }

    private static unsafe void Forward<T>(float* top, float* bottom, float* output, int channels)
        where T : unmanaged, ISimd<T> =>
        T.Store(
            T.Max(T.Max(T.Load(top), T.Load(top + channels)), T.Max(T.Load(bottom), T.Load(bottom + channels))), output);

    private static unsafe void Backward<T>(in Instruction i, float* source, float* gradient, float* target)
        where T : unmanaged, ISimd<T>
    {
        int right = i.Saved.Channels, down = i.Saved.RowStride;
        T a = T.Load(source), b = T.Load(source + right), c = T.Load(source + down), d = T.Load(source + down + right);
        var max = T.Max(T.Max(a, b), T.Max(c, d));
        T left = Elements<T>.TimesDerivative(i.Derivative, max, T.Load(gradient)), zero = default;
        down = i.Output.RowStride;
        T.Store(T.WhereEqual(a, max, left, zero), target);
        left = T.WhereEqual(a, max, zero, left);
        T.Store(T.WhereEqual(b, max, left, zero), target + right);
        left = T.WhereEqual(b, max, zero, left);
        T.Store(T.WhereEqual(c, max, left, zero), target + down);
        T.Store(T.WhereEqual(c, max, zero, left), target + down + right);
    }

    /// <summary>Arena index of the top left pixel of the window of a pooled pixel.</summary>
    private static int Window(in FeatureMap map, in FeatureMap pooled, int pixel)
    {
        var row = pixel / pooled.Width;
        var image = row / pooled.Height;
        return map.At(image, 2 * (row - image * pooled.Height), 2 * (pixel - row * pooled.Width));
    }

    private static void RequireShapes(FeatureMap input, FeatureMap output) => Shapes.Require(
        output.Height == input.Height / 2 && output.Width == input.Width / 2 && output.Channels == input.Channels && output.Size > 0,
        "MaxPool2x2", "an output of half the input's height and width", input, output);
}
