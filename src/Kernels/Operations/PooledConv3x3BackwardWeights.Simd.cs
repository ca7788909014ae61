using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;

namespace AutoencoderGpu.Kernels.Operations;

public unsafe partial struct PooledConv3x3BackwardWeights
{
    /// <summary>The gradients of a pooled row, spread out to two rows of pixels.</summary>
    static long IOperation<PooledConv3x3BackwardWeights>.ScratchLength<V>(in PooledConv3x3BackwardWeights i) => 4L * i.OutputGradient.Width * i.OutputGradient.Channels;

    /// <summary>
    /// Workers own rows of the gradient, so that nothing is summed across them; a tile is six of the window's inputs by two vectors
    /// of output channels, summed over two rows of pixels, to which the gradients of a pooled row are spread out first.
    /// </summary>
    static void IOperation<PooledConv3x3BackwardWeights>.Run<V>(in PooledConv3x3BackwardWeights i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        FeatureMap x = i.Saved, g = i.OutputGradient;
        Conv3x3BackwardWeights.ClearOtherSplits(i.Target, x, g, buffers, worker);
        if (x.Channels == 1 && g.Channels % V.Width == 0)
        {
            RunOneInput<V>(i, buffers, batch, worker);
            return;
        }

        var spread = new FeatureMap(0, 2, 2 * g.Width, g.Channels, 0);
        for (var row = 0; row < batch.Count * g.Height; row++)
        {
            int image = row / g.Height, y = row - image * g.Height;
            MaxPool2x2Backward.SpreadRow<V>(g, i.Argmax, buffers, row * g.Width, worker.Scratch, spread.RowStride);
            Conv3x3BackwardWeights.AddWeightGradients<V>(
                x, buffers.Arena + x.At(image, 2 * y, 0), spread, worker.Scratch, buffers.Arena + i.Target.Offset, accumulate: row > 0, worker);
        }

        Conv3x3BackwardWeights.SumBias<V>(i.Target, x, g, buffers, batch.Count, worker);
    }

    /// <summary>
    /// Workers own vectors of output channels; a tile is the nine taps of one of them and its bias, along a row of windows. Each of
    /// a window's 4×4 inputs meets the gradients of up to four pixels.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunOneInput<V>(in PooledConv3x3BackwardWeights i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        FeatureMap x = i.Saved, g = i.OutputGradient;
        int cout = g.Channels;
        var (start, end) = worker.Range(cout / V.Width);
        var gradients = buffers.Arena + i.Target.Offset;
        for (var row = 0; row < batch.Count * g.Height; row++)
        {
            int image = row / g.Height, y = row - image * g.Height;
            for (var n = start * V.Width; n < end * V.Width; n += V.Width)
            {
                var target = gradients + n;
                V c0 = default, c1 = default, c2 = default, c3 = default, c4 = default;
                V c5 = default, c6 = default, c7 = default, c8 = default, bias = default;
                if (row > 0)
                {
                    (c0, c1, c2) = (V.Load(target), V.Load(target + cout), V.Load(target + 2 * cout));
                    (c3, c4, c5) = (V.Load(target + 3 * cout), V.Load(target + 4 * cout), V.Load(target + 5 * cout));
                    (c6, c7, c8) = (V.Load(target + 6 * cout), V.Load(target + 7 * cout), V.Load(target + 8 * cout));
                    bias = V.Load(target + 9 * cout);
                }

                float* source = buffers.Arena + g.At(image, y, 0) + n, argmax = buffers.Arena + i.Argmax.At(image, y, 0) + n;
                var first = buffers.Arena + x.At(image, 2 * y - 1, -1);
                float* second = first + x.RowStride, third = second + x.RowStride, fourth = third + x.RowStride;
                for (nint q = 0; q < 2 * g.Width; q += 2, source += cout, argmax += cout)
                {
                    V gradient = V.Load(source), place = V.Load(argmax), zero = default;
                    bias += gradient;
                    var g0 = V.WhereEqual(place, zero, gradient, zero);
                    var g1 = V.WhereEqual(place, V.Broadcast(1f), gradient, zero);
                    var g2 = V.WhereEqual(place, V.Broadcast(2f), gradient, zero);
                    var g3 = V.WhereEqual(place, V.Broadcast(3f), gradient, zero);

                    var value = V.Broadcast(first[q]);
                    V.AddProduct(value, g0, ref c0);
                    value = V.Broadcast(first[q + 1]);
                    V.AddProduct(value, g1, ref c0);
                    V.AddProduct(value, g0, ref c1);
                    value = V.Broadcast(first[q + 2]);
                    V.AddProduct(value, g1, ref c1);
                    V.AddProduct(value, g0, ref c2);
                    value = V.Broadcast(first[q + 3]);
                    V.AddProduct(value, g1, ref c2);

                    value = V.Broadcast(second[q]);
                    V.AddProduct(value, g2, ref c0);
                    V.AddProduct(value, g0, ref c3);
                    value = V.Broadcast(second[q + 1]);
                    V.AddProduct(value, g3, ref c0);
                    V.AddProduct(value, g2, ref c1);
                    V.AddProduct(value, g1, ref c3);
                    V.AddProduct(value, g0, ref c4);
                    value = V.Broadcast(second[q + 2]);
                    V.AddProduct(value, g3, ref c1);
                    V.AddProduct(value, g2, ref c2);
                    V.AddProduct(value, g1, ref c4);
                    V.AddProduct(value, g0, ref c5);
                    value = V.Broadcast(second[q + 3]);
                    V.AddProduct(value, g3, ref c2);
                    V.AddProduct(value, g1, ref c5);

                    value = V.Broadcast(third[q]);
                    V.AddProduct(value, g2, ref c3);
                    V.AddProduct(value, g0, ref c6);
                    value = V.Broadcast(third[q + 1]);
                    V.AddProduct(value, g3, ref c3);
                    V.AddProduct(value, g2, ref c4);
                    V.AddProduct(value, g1, ref c6);
                    V.AddProduct(value, g0, ref c7);
                    value = V.Broadcast(third[q + 2]);
                    V.AddProduct(value, g3, ref c4);
                    V.AddProduct(value, g2, ref c5);
                    V.AddProduct(value, g1, ref c7);
                    V.AddProduct(value, g0, ref c8);
                    value = V.Broadcast(third[q + 3]);
                    V.AddProduct(value, g3, ref c5);
                    V.AddProduct(value, g1, ref c8);

                    value = V.Broadcast(fourth[q]);
                    V.AddProduct(value, g2, ref c6);
                    value = V.Broadcast(fourth[q + 1]);
                    V.AddProduct(value, g3, ref c6);
                    V.AddProduct(value, g2, ref c7);
                    value = V.Broadcast(fourth[q + 2]);
                    V.AddProduct(value, g3, ref c7);
                    V.AddProduct(value, g2, ref c8);
                    value = V.Broadcast(fourth[q + 3]);
                    V.AddProduct(value, g3, ref c8);
                }

                V.Store(c0, target);
                V.Store(c1, target + cout);
                V.Store(c2, target + 2 * cout);
                V.Store(c3, target + 3 * cout);
                V.Store(c4, target + 4 * cout);
                V.Store(c5, target + 5 * cout);
                V.Store(c6, target + 6 * cout);
                V.Store(c7, target + 7 * cout);
                V.Store(c8, target + 8 * cout);
                V.Store(bias, target + 9 * cout);
            }
        }
    }
}
