using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Simd;

namespace AutoencoderGpu.Kernels.Operations;

public static unsafe partial class PooledConv3x3
{
    /// <summary>Windows whose pixels fill two tiles of six.</summary>
    private const int Windows = 3;

    /// <summary>Workers take windows; two tiles are three windows by two vectors of output channels.</summary>
    internal static void Run<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        // Paths that keep tiles in registers to the end; a sigmoid there would take the registers, and no network has one there.
        var rectified = i.Activation != Activation.Sigmoid;
        if (rectified && Conv3x3.SuitsWinograd<V>(i.Input.Channels, i.Output.Channels))
        {
            Conv3x3.RunWinograd<V>(i, buffers, batch, worker);
            return;
        }

        if (rectified && i.Input.Channels == 1 && i.Output.Channels % Micro<V>.OuterColumns == 0)
        {
            RunOneInput<V>(i, buffers, batch, worker);
            return;
        }

        int cout = i.Output.Channels, inputRow = 3 * i.Input.Channels, width = Micro<V>.OuterColumns;
        var rows = stackalloc int[2 * Micro<V>.OuterRows];
        var tile = stackalloc float[2 * Micro<V>.OuterRows * width];
        float* corner = buffers.Arena - i.Input.RowStride - i.Input.Channels, weights = buffers.Arena + i.Weights;
        var windows = batch.Count * i.Output.Height * i.Output.Width;
        foreach (var block in worker.Items((windows + Windows - 1) / Windows))
        {
            var first = block * Windows;
            for (var r = 0; r < 2 * Micro<V>.OuterRows; r++)
                rows[r] = Pixel(i.Input, i.Output, Math.Min(4 * first + r, 4 * windows - 1));
            for (var n = 0; n < cout; n += width)
            {
                for (var half = 0; half < 2 * Micro<V>.OuterRows; half += Micro<V>.OuterRows)
                {
                    Micro<V>.OuterProducts(
                        corner, rows + half, i.Input.RowStride, 1, weights + n, inputRow * cout, cout, 3, inputRow, tile + half * width, width);
                }

                var count = Math.Min(width, cout - n);
                for (var window = first; window < Math.Min(windows, first + Windows); window++)
                {
                    var output = buffers.Arena + i.Output.AtPixel(window) + n;
                    var winners = buffers.Arena + i.Winners.AtPixel(window) + n;
                    MaxPool2x2.Pool<V>(tile + 4 * (window - first) * width, width, 2 * width, output, winners, count);
                    Elements<V>.Add(buffers.Arena + i.Bias + n, output, count);
                    Elements<V>.Activate(i.Activation, output, count);
                }
            }
        }
    }

    /// <summary>
    /// With one input channel a convolution's window is nine numbers, too few to pay for a general tile's loop and a detour of its
    /// sums through memory. Workers take rows of pooled pixels; a tile is one of them by two vectors of output channels.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunOneInput<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int cout = i.Output.Channels;
        nint inputRow = i.Input.RowStride;
        var activate = i.Activation == Activation.Relu;
        foreach (var row in worker.Items(batch.Count * i.Output.Height))
        {
            int image = row / i.Output.Height, y = row - image * i.Output.Height;
            var input = buffers.Arena + i.Input.At(image, 2 * y - 1, -1);
            for (var n = 0; n < cout; n += Micro<V>.OuterColumns)
            {
                V bias0 = V.Load(buffers.Arena + i.Bias + n), bias1 = V.Load(buffers.Arena + i.Bias + n + V.Width);
                float* output = buffers.Arena + i.Output.At(image, y, 0) + n, winners = buffers.Arena + i.Winners.At(image, y, 0) + n;
                for (var x = 0; x < i.Output.Width; x++, output += cout, winners += cout)
                {
                    V c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default, c30 = default, c31 = default;
                    float* weights = buffers.Arena + i.Weights + n, top = input + 2 * x;
                    for (var tap = 0; tap < 3; tap++, top += inputRow)
                    {
                        var bottom = top + inputRow;
                        for (var s = 0; s < 3; s++, weights += cout)
                        {
                            V w0 = V.Load(weights), w1 = V.Load(weights + V.Width);
                            var value = V.Broadcast(top[s]);
                            V.AddProduct(value, w0, ref c00);
                            V.AddProduct(value, w1, ref c01);
                            value = V.Broadcast(top[s + 1]);
                            V.AddProduct(value, w0, ref c10);
                            V.AddProduct(value, w1, ref c11);
                            value = V.Broadcast(bottom[s]);
                            V.AddProduct(value, w0, ref c20);
                            V.AddProduct(value, w1, ref c21);
                            value = V.Broadcast(bottom[s + 1]);
                            V.AddProduct(value, w0, ref c30);
                            V.AddProduct(value, w1, ref c31);
                        }
                    }

                    Store(activate, c00, c10, c20, c30, bias0, output, winners);
                    Store(activate, c01, c11, c21, c31, bias1, output + V.Width, winners + V.Width);
                }
            }
        }
    }

    /// <summary>The greatest of a window's sums, its bias and ReLU or nothing, and the winner.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Store<T>(bool activate, T a, T b, T c, T d, T bias, float* output, float* winners)
        where T : unmanaged, ISimd<T>
    {
        var sum = MaxPool2x2.Max(a, b, c, d, out var winner) + bias;
        if (activate)
            sum = T.Relu(sum);
        T.Store(sum, output);
        T.Store(winner, winners);
    }

    /// <summary>
    /// Workers own rows of the gradient, so that nothing is summed across them; a tile is six of the window's inputs by two vectors
    /// of output channels, summed over two rows of pixels, to which the gradients of a pooled row are spread out first.
    /// </summary>
    internal static void RunBackwardWeights<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        FeatureMap x = i.Saved, g = i.Input;
        Conv3x3.ClearOtherSplits(i, buffers, worker);
        if (x.Channels == 1 && g.Channels % V.Width == 0)
        {
            RunBackwardWeightsOfOneInput<V>(i, buffers, batch, worker);
            return;
        }

        var spread = new FeatureMap(0, 2, 2 * g.Width, g.Channels, 0);
        Worker.RequireRoom(spread.Size, Worker.ScratchLength);
        for (var row = 0; row < batch.Count * g.Height; row++)
        {
            int image = row / g.Height, y = row - image * g.Height;
            MaxPool2x2.SpreadRow<V>(i, buffers, row * g.Width, worker.Scratch, spread.RowStride);
            Conv3x3.AddWeightGradients<V>(
                x, buffers.Arena + x.At(image, 2 * y, 0), spread, worker.Scratch, buffers.Arena + i.Gradients, accumulate: row > 0, worker);
        }

        Conv3x3.SumBias<V>(i, buffers, batch, worker);
    }

    /// <summary>
    /// Workers own vectors of output channels; a tile is the nine taps of one of them and its bias, along a row of windows. Each of
    /// a window's 4×4 inputs meets the gradients of up to four pixels.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunBackwardWeightsOfOneInput<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        FeatureMap x = i.Saved, g = i.Input;
        int cout = g.Channels;
        var (start, end) = worker.Share(cout / V.Width);
        var gradients = buffers.Arena + i.Gradients;
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

                float* source = buffers.Arena + g.At(image, y, 0) + n, winners = buffers.Arena + i.Winners.At(image, y, 0) + n;
                var first = buffers.Arena + x.At(image, 2 * y - 1, -1);
                float* second = first + x.RowStride, third = second + x.RowStride, fourth = third + x.RowStride;
                for (nint q = 0; q < 2 * g.Width; q += 2, source += cout, winners += cout)
                {
                    V gradient = V.Load(source), winner = V.Load(winners), zero = default;
                    bias += gradient;
                    var g0 = V.WhereEqual(winner, zero, gradient, zero);
                    var g1 = V.WhereEqual(winner, V.Broadcast(1f), gradient, zero);
                    var g2 = V.WhereEqual(winner, V.Broadcast(2f), gradient, zero);
                    var g3 = V.WhereEqual(winner, V.Broadcast(3f), gradient, zero);

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
