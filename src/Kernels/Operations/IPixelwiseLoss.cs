using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>A loss that is the mean of one term per value, and how the CPU evaluates it.</summary>
internal unsafe interface IPixelwiseLoss
{
    /// <summary>The terms of a vector of values; stores their gradients.</summary>
    /// <param name="derivative">Of which activation the derivative multiplies the gradients.</param>
    /// <param name="gradient">Null where only the loss is wanted.</param>
    /// <param name="factor">Of every gradient.</param>
    static abstract V Terms<V>(Activation derivative, float* output, float* target, float* gradient, float factor)
        where V : unmanaged, ISimd<V>;

    /// <summary>Each image's mean of terms at its place in the epoch, and the gradients.</summary>
    /// <param name="gradients">The same shape as the output's, or <c>default</c>.</param>
    /// <param name="factor">Of every gradient.</param>
    static void Run<TLoss, V>(
        in FeatureMap outputs,
        in FeatureMap targets,
        in FeatureMap gradients,
        Activation derivative,
        float factor,
        in HostBuffers buffers,
        in MiniBatch batch,
        Worker worker)
        where TLoss : IPixelwiseLoss
        where V : unmanaged, ISimd<V>
    {
        // Without borders an image is one row.
        var rows = outputs.Border + targets.Border + gradients.Border == 0 ? 1 : outputs.Height;
        var row = outputs.Size / rows;
        foreach (var image in worker.Items(batch.Count))
        {
            var sum = 0f;
            for (var y = 0; y < rows; y++)
            {
                float* output = buffers.Arena + outputs.At(image, y, 0), target = buffers.Arena + targets.At(image, y, 0);
                var gradient = gradients.IsNone ? null : buffers.Arena + gradients.At(image, y, 0);
                V sums = default;
                var k = 0;
                for (; k <= row - V.Width; k += V.Width)
                    sums += TLoss.Terms<V>(derivative, output + k, target + k, gradient == null ? null : gradient + k, factor);
                sum += V.Sum(sums);
                for (; k < row; k++)
                {
                    sum += SimdScalar.Sum(
                        TLoss.Terms<SimdScalar>(derivative, output + k, target + k, gradient == null ? null : gradient + k, factor));
                }
            }

            buffers.Losses[batch.First + image] = sum / outputs.Size;
        }
    }
}
