using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Products;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;

namespace AutoencoderGpu.Kernels.Operations;

public unsafe partial struct DenseForward
{
    /// <summary>Weights that stay in the second-level cache while the images of the mini-batch pass, five at a time.</summary>
    private const int ForwardBlock = 24 * 1024;

    /// <summary>Workers own outputs; a tile is five images by two outputs, each a dot product along the contiguous inputs.</summary>
    static void IOperation<DenseForward>.Run<V>(in DenseForward i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        if (batch.Count >= DensePanels.ManyImages)
        {
            RunOfMany<V>(i, buffers, batch.Count, worker);
            return;
        }

        int k = i.Input.Size, n = i.Output.Size;
        float* weights = buffers.Arena + i.Weights, bias = buffers.Arena + i.Bias;
        float* input = buffers.Arena + i.Input.Offset, output = buffers.Arena + i.Output.Offset;
        var block = Math.Max(2, ForwardBlock / k & ~1);
        foreach (var groups in worker.Ranges(DenseGroups.CountOf(n), grain: 1))
        {
            var end = DenseGroups.FirstOf(n, groups.End);
            for (var first = DenseGroups.FirstOf(n, groups.Start); first < end; first += block)
            {
                var outputs = Math.Min(block, end - first);
                // Five images' inputs stay in the first-level cache while a block of weights streams past; ten would not fit beside them.
                for (var b = 0; b < batch.Count; b += DenseTiles<V>.ImageRows)
                {
                    var images = Math.Min(DenseTiles<V>.ImageRows, batch.Count - b);
                    var target = output + (nint)b * n + first;
                    DenseTiles<V>.Dot(input + (nint)b * k, images, weights + (nint)first * k, k, outputs, bias + first, target, n);
                    for (var r = 0; r < images; r++)
                        Activations<V>.Activate(i.Activation, target + (nint)r * n, outputs);
                }
            }
        }
    }

    /// <summary>Workers take panels of outputs, down which run tiles of six images by two vectors.</summary>
    private static void RunOfMany<V>(in DenseForward i, in HostBuffers buffers, int images, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int k = i.Input.Size, n = i.Output.Size;
        float* weights = buffers.Arena + i.Weights, input = buffers.Arena + i.Input.Offset;
        float* output = buffers.Arena + i.Output.Offset, panel = worker.Scratch;
        foreach (var part in new DensePanels.Panels<V>(n, images, worker))
        {
            var target = output + (nint)part.Row * n + part.Column;
            foreach (var (first, depth) in new DensePanels.Depths(k))
            {
                Transposition.Run(weights + (nint)part.Column * k + first, k, part.Columns, depth, panel, Panel<V>.Columns);
                Panel<V>.Multiply(
                    input + (nint)part.Row * k + first, k, 1, panel, Panel<V>.Columns, depth, target, n, part.Rows, part.Columns, first > 0);
            }

            Activations<V>.AddBias(i.Activation, buffers.Arena + i.Bias + part.Column, target, n, part.Rows, part.Columns);
        }
    }
}
