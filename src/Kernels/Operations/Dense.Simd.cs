using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Simd;

namespace AutoencoderGpu.Kernels.Operations;

public static unsafe partial class Dense
{
    /// <summary>Weights that stay in the second-level cache while the images of the mini-batch pass, five at a time.</summary>
    private const int ForwardBlock = 24 * 1024;

    /// <summary>
    /// Outputs whose weights are worked on together, whole tiles of them: few enough that their cache lines and pages stay at hand
    /// between the two uses, many enough that the inputs' gradient is not taken up and put down all the time. Half as many are
    /// slower, twice as many no faster.
    /// </summary>
    private const int OutputBlock = 5 * 6;

    /// <summary>Images whose scaled gradients of a block of outputs are kept beside its weights in the first-level cache.</summary>
    private const int ImageBlock = 64;

    /// <summary>Workers own outputs; a tile is five images by two outputs, each a dot product along the contiguous inputs.</summary>
    internal static void RunForward<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int k = i.Input.Size, n = i.Output.Size;
        float* weights = buffers.Arena + i.Weights, bias = buffers.Arena + i.Bias;
        float* input = buffers.Arena + i.Input.Offset, output = buffers.Arena + i.Output.Offset;
        var (start, end) = worker.Share((n + 1) / 2);
        (start, end) = (2 * start, Math.Min(2 * end, n));
        var block = Math.Max(2, ForwardBlock / k & ~1);
        for (var first = start; first < end; first += block)
        {
            var outputs = Math.Min(block, end - first);
            // Five images' inputs stay in the first-level cache while a block of weights streams past; ten would not fit beside them.
            for (var b = 0; b < batch.Count; b += DenseTiles<V>.ImageRows)
            {
                var images = Math.Min(DenseTiles<V>.ImageRows, batch.Count - b);
                var target = output + (nint)b * n + first;
                DenseTiles<V>.Dot(input + (nint)b * k, images, weights + (nint)first * k, k, outputs, bias + first, target, n);
                for (var r = 0; r < images; r++)
                    Elements<V>.Activate(i.Activation, target + (nint)r * n, outputs);
            }
        }
    }

    /// <summary>
    /// Workers own inputs, so that none needs another's sums. Weights pass through the cache once: of each block of outputs, by two
    /// vectors of inputs at a time, first the gradient of the inputs takes its part from the old weights, then these are updated.
    /// </summary>
    internal static void RunBackward<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int k = i.Saved.Size, n = i.Input.Size, width = DenseTiles<V>.Columns;
        float* gradient = buffers.Arena + i.Input.Offset;
        var factor = -buffers.LearningRates[batch.Step];
        var scaled = stackalloc float[OutputBlock * ImageBlock];
        var (start, end) = worker.Share((k + width - 1) / width);
        for (var output = 0; output < n; output += OutputBlock)
        {
            var outputs = Math.Min(OutputBlock, n - output);
            for (var image = 0; image < batch.Count; image += ImageBlock)
            {
                var images = Math.Min(ImageBlock, batch.Count - image);
                for (var b = 0; b < images; b++)
                    Scale<V>(factor, gradient + (nint)(image + b) * n + output, scaled + b * OutputBlock, outputs);
                for (var block = start; block < end; block++)
                {
                    if (image == 0 && !i.Output.IsNone)
                        BackwardInput<V>(i, buffers, batch, block * width, output, outputs);
                    UpdateWeights<V>(i, buffers, scaled, image, images, block * width, output, outputs);
                }
            }
        }

        var first = start * width;
        var length = Math.Min(end * width, k) - first;
        for (var b = 0; b < batch.Count && !i.Output.IsNone; b++)
        {
            var offset = b * k + first;
            Elements<V>.MultiplyByDerivative(
                i.Derivative, buffers.Arena + i.Saved.Offset + offset, buffers.Arena + i.Output.Offset + offset, length);
        }

        (start, end) = worker.Share(n);
        UpdateBias<V>(gradient, n, batch.Count, start, end, factor, buffers.Arena + i.Bias);
    }

    private static void UpdateBias<V>(float* gradient, int n, int images, int start, int end, float factor, float* bias)
        where V : unmanaged, ISimd<V>
    {
        var output = start;
        for (; output <= end - V.Width; output += V.Width)
        {
            V sum = default;
            for (var b = 0; b < images; b++)
                sum += V.Load(gradient + (nint)b * n + output);
            V.Store(V.MultiplyAdd(V.Broadcast(factor), sum, V.Load(bias + output)), bias + output);
        }

        if (V.Width > 1 && output < end)
            UpdateBias<SimdScalar>(gradient, n, images, output, end, factor, bias);
    }

    /// <summary>target = factor · source, and beyond, to the last tile's end, the last value again.</summary>
    private static void Scale<V>(float factor, float* source, float* target, int count)
        where V : unmanaged, ISimd<V>
    {
        Elements<V>.Scale(factor, source, target, count);
        for (var r = count; r % DenseTiles<V>.OutputRows != 0; r++)
            target[r] = target[count - 1];
    }

    private static void BackwardInput<V>(
        in Instruction i, in HostBuffers buffers, in MiniBatch batch, int column, int output, int outputs)
        where V : unmanaged, ISimd<V>
    {
        const int height = DenseTiles<V>.ImageRows;
        int k = i.Saved.Size, n = i.Input.Size, width = DenseTiles<V>.Columns;
        var columns = Math.Min(width, k - column);
        float* gradient = buffers.Arena + i.Input.Offset, weights = buffers.Arena + i.Weights + (nint)output * k + column;
        var tile = stackalloc float[height * width];
        for (var b = 0; b < batch.Count; b += height)
        {
            var count = Math.Min(height, batch.Count - b);
            var source = gradient + (nint)b * n + output;
            var target = buffers.Arena + i.Output.Offset + (nint)b * k + column;
            if (columns == width)
            {
                DenseTiles<V>.Sum(source, count, n, weights, k, outputs, target, k, accumulate: output > 0);
                continue;
            }

            Copy<V>(target, k, tile, width, count, columns);
            DenseTiles<V>.Sum(source, count, n, weights, k, outputs, tile, width, accumulate: output > 0);
            Copy<V>(tile, width, target, k, count, columns);
        }
    }

    private static void UpdateWeights<V>(
        in Instruction i, in HostBuffers buffers, float* scaled, int image, int images, int column, int output, int outputs)
        where V : unmanaged, ISimd<V>
    {
        int k = i.Saved.Size, width = DenseTiles<V>.Columns;
        var columns = Math.Min(width, k - column);
        var weights = buffers.Arena + i.Weights + (nint)output * k + column;
        var x = buffers.Arena + i.Saved.Offset + (nint)image * k + column;
        if (columns == width)
        {
            DenseTiles<V>.Add(scaled, OutputBlock, x, k, images, outputs, weights, k);
            return;
        }

        var tile = stackalloc float[OutputBlock * width];
        Copy<V>(weights, k, tile, width, outputs, columns);
        DenseTiles<V>.Add(scaled, OutputBlock, x, k, images, outputs, tile, width);
        Copy<V>(tile, width, weights, k, outputs, columns);
    }

    private static void Copy<V>(float* source, nint sourceStride, float* target, nint targetStride, int rows, int columns)
        where V : unmanaged, ISimd<V>
    {
        for (var r = 0; r < rows; r++)
            Elements<V>.Copy(source + r * sourceStride, target + r * targetStride, columns);
    }
}
