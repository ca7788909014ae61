using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Simd;

namespace AutoencoderGpu.Kernels.Operations;

public static unsafe partial class Dense
{
    /// <summary>
    /// Outputs whose weights are worked on together: few enough that their cache lines and pages stay at hand between the two uses.
    /// </summary>
    private const int OutputBlock = 5 * 6;

    /// <summary>Workers own outputs; a tile is five images by two outputs, each a dot product along the contiguous inputs.</summary>
    internal static void RunForward<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int k = i.Input.Size, n = i.Output.Size;
        float* weights = buffers.Arena + i.Weights, bias = buffers.Arena + i.Bias;
        float* input = buffers.Arena + i.Input.Offset, output = buffers.Arena + i.Output.Offset;
        var rows = stackalloc int[Micro<V>.DotRows];
        var tile = stackalloc float[Micro<V>.DotRows * 2];
        var (start, end) = worker.Share((n + 1) / 2);
        // Five images' inputs stay in the first-level cache while the weights stream past; ten would not fit beside them.
        for (var b = 0; b < batch.Count; b += Micro<V>.DotRows)
        {
            var count = Math.Min(Micro<V>.DotRows, batch.Count - b);
            for (var r = 0; r < Micro<V>.DotRows; r++)
                rows[r] = (b + Math.Min(r, count - 1)) * k;
            for (var pair = start; pair < end; pair++)
            {
                int n0 = 2 * pair, n1 = Math.Min(n0 + 1, n - 1);
                Micro<V>.DotProducts(input, rows, 0, weights + (nint)n0 * k, weights + (nint)n1 * k, 0, 1, k, tile);
                for (var r = 0; r < count; r++)
                {
                    output[(b + r) * n + n0] = tile[2 * r] + bias[n0];
                    output[(b + r) * n + n1] = tile[2 * r + 1] + bias[n1];
                }
            }
        }

        var first = 2 * start;
        var length = Math.Min(2 * end, n) - first;
        for (var b = 0; b < batch.Count; b++)
            Elements<V>.Activate(i.Activation, output + b * n + first, length);
    }

    /// <summary>
    /// Workers own inputs, so that none needs another's sums. Weights pass through the cache once: of each block of outputs, by two
    /// vectors of inputs at a time, first the gradient of the inputs takes its part from the old weights, then these are updated.
    /// </summary>
    internal static void RunBackward<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int k = i.Saved.Size, n = i.Input.Size, width = Micro<V>.OuterColumns;
        float* gradient = buffers.Arena + i.Input.Offset, bias = buffers.Arena + i.Bias;
        var rate = buffers.LearningRates[batch.Step];
        var (start, end) = worker.Share((k + width - 1) / width);
        for (var output = 0; output < n; output += OutputBlock)
        {
            var outputs = Math.Min(OutputBlock, n - output);
            for (var block = start; block < end; block++)
            {
                if (!i.Output.IsNone)
                    BackwardInput<V>(i, buffers, batch, block * width, output, outputs);
                UpdateWeights<V>(i, buffers, batch, block * width, output, outputs, rate);
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
        for (var output = start; output < end; output++)
        {
            var sum = 0f;
            for (var b = 0; b < batch.Count; b++)
                sum += gradient[b * n + output];
            bias[output] -= rate * sum;
        }
    }

    private static void BackwardInput<V>(
        in Instruction i, in HostBuffers buffers, in MiniBatch batch, int column, int output, int outputs)
        where V : unmanaged, ISimd<V>
    {
        int k = i.Saved.Size, n = i.Input.Size;
        var rows = stackalloc int[Micro<V>.OuterRows];
        for (var b = 0; b < batch.Count; b += Micro<V>.OuterRows)
        {
            var count = Math.Min(Micro<V>.OuterRows, batch.Count - b);
            for (var r = 0; r < Micro<V>.OuterRows; r++)
                rows[r] = (b + Math.Min(r, count - 1)) * n + output;
            Micro<V>.OuterProducts(
                buffers.Arena + i.Input.Offset, rows, 0, 1,
                buffers.Arena + i.Weights + (nint)output * k + column, 0, k, 1, outputs,
                buffers.Arena + i.Output.Offset + b * k + column, k,
                count, Math.Min(Micro<V>.OuterColumns, k - column), accumulate: output > 0);
        }
    }

    private static void UpdateWeights<V>(
        in Instruction i, in HostBuffers buffers, in MiniBatch batch, int column, int output, int outputs, float rate)
        where V : unmanaged, ISimd<V>
    {
        int k = i.Saved.Size, n = i.Input.Size;
        var rows = stackalloc int[Micro<V>.OuterRows];
        for (var first = output; first < output + outputs; first += Micro<V>.OuterRows)
        {
            var count = Math.Min(Micro<V>.OuterRows, output + outputs - first);
            for (var r = 0; r < Micro<V>.OuterRows; r++)
                rows[r] = first + Math.Min(r, count - 1);
            Micro<V>.OuterProducts(
                buffers.Arena + i.Input.Offset, rows, 0, n,
                buffers.Arena + i.Saved.Offset + column, 0, k, 1, batch.Count,
                buffers.Arena + i.Weights + (nint)first * k + column, k,
                count, Math.Min(Micro<V>.OuterColumns, k - column), accumulate: true, -rate);
        }
    }
}
