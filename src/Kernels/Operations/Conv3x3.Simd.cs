using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Simd;

namespace AutoencoderGpu.Kernels.Operations;

public static unsafe partial class Conv3x3
{
    private const int RowPixels = 4;

    /// <summary>
    /// Workers own pixels; a tile is six pixels, wherever they are in rows and images, by two vectors of output channels.
    /// </summary>
    internal static void Run<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        // Paths that keep tiles in registers to the end; a sigmoid there would take the registers, and no network has one there.
        var rectified = i.Activation != Activation.Sigmoid && i.Derivative != Activation.Sigmoid;
        if (rectified && SuitsWinograd<V>(i.Input.Channels, i.Output.Channels))
        {
            RunWinograd<V>(i, buffers, batch, worker);
            return;
        }

        if (rectified && i.Input.Channels == 1 && i.Output.Width >= RowPixels && i.Output.Channels % Micro<V>.OuterColumns == 0)
        {
            RunOneInput<V>(i, buffers, batch, worker);
            return;
        }

        var pixels = batch.Count * i.Output.Height * i.Output.Width;
        int cout = i.Output.Channels, row = 3 * i.Input.Channels;
        int tileRows = Micro<V>.OuterRows, width = Micro<V>.OuterColumns;
        var rows = stackalloc int[tileRows];
        var tile = stackalloc float[tileRows * width];
        float* corner = buffers.Arena - i.Input.RowStride - i.Input.Channels, weights = buffers.Arena + i.Weights;
        var (start, end) = worker.Share((pixels + tileRows - 1) / tileRows);
        for (var block = start; block < end; block++)
        {
            var first = block * tileRows;
            var count = Math.Min(tileRows, pixels - first);
            for (var r = 0; r < tileRows; r++)
                rows[r] = i.Input.AtPixel(first + Math.Min(r, count - 1));
            for (var n = 0; n < cout; n += width)
            {
                Micro<V>.OuterProducts(corner, rows, i.Input.RowStride, 1, weights + n, row * cout, cout, 3, row, tile, width);
                for (var r = 0; r < count; r++)
                    Store<V>(i, buffers, first + r, n, tile + r * width, Math.Min(width, cout - n));
            }
        }
    }

    /// <summary>
    /// With one input channel a window is nine numbers, too few to pay for a general tile's loop and a detour of its sums through
    /// memory. Workers own rows; a tile is four pixels of a row by two vectors of output channels, and begins with the bias.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunOneInput<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int cout = i.Output.Channels, width = i.Output.Width;
        bool activate = i.Activation == Activation.Relu, derive = i.Derivative == Activation.Relu;
        var (start, end) = worker.Share(batch.Count * i.Output.Height);
        for (var row = start; row < end; row++)
        {
            int image = row / i.Output.Height, y = row - image * i.Output.Height;
            float* input = buffers.Arena + i.Input.At(image, y - 1, -1), output = buffers.Arena + i.Output.At(image, y, 0);
            var saved = derive ? buffers.Arena + i.Saved.At(image, y, 0) : output;
            for (var n = 0; n < cout; n += Micro<V>.OuterColumns)
            {
                for (var pixel = 0; pixel < width; pixel += RowPixels)
                {
                    // The last tile of a row may overlap the one before.
                    var x = Math.Min(pixel, width - RowPixels);
                    V c00 = default, c01 = default, c10, c11, c20, c21, c30, c31;
                    if (i.Bias >= 0)
                        (c00, c01) = (V.Load(buffers.Arena + i.Bias + n), V.Load(buffers.Arena + i.Bias + n + V.Width));
                    (c10, c11, c20, c21, c30, c31) = (c00, c01, c00, c01, c00, c01);
                    var weights = buffers.Arena + i.Weights + n;
                    var window = input + x;
                    for (var tap = 0; tap < 3; tap++, window += i.Input.RowStride)
                    {
                        for (var s = 0; s < 3; s++, weights += cout)
                        {
                            V w0 = V.Load(weights), w1 = V.Load(weights + V.Width);
                            var value = V.Broadcast(window[s]);
                            V.AddProduct(value, w0, ref c00);
                            V.AddProduct(value, w1, ref c01);
                            value = V.Broadcast(window[s + 1]);
                            V.AddProduct(value, w0, ref c10);
                            V.AddProduct(value, w1, ref c11);
                            value = V.Broadcast(window[s + 2]);
                            V.AddProduct(value, w0, ref c20);
                            V.AddProduct(value, w1, ref c21);
                            value = V.Broadcast(window[s + 3]);
                            V.AddProduct(value, w0, ref c30);
                            V.AddProduct(value, w1, ref c31);
                        }
                    }

                    int at = x * cout + n, second = at + V.Width;
                    StoreRectified(activate, derive, c00, saved + at, output + at);
                    StoreRectified(activate, derive, c01, saved + second, output + second);
                    StoreRectified(activate, derive, c10, saved + at + cout, output + at + cout);
                    StoreRectified(activate, derive, c11, saved + second + cout, output + second + cout);
                    StoreRectified(activate, derive, c20, saved + at + 2 * cout, output + at + 2 * cout);
                    StoreRectified(activate, derive, c21, saved + second + 2 * cout, output + second + 2 * cout);
                    StoreRectified(activate, derive, c30, saved + at + 3 * cout, output + at + 3 * cout);
                    StoreRectified(activate, derive, c31, saved + second + 3 * cout, output + second + 3 * cout);
                }
            }
        }
    }

    /// <summary>Workers own rows of the result, four of a tap at a time: what four of them read lies in one cache line.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void RunRotate(in Instruction i, in HostBuffers buffers, Worker worker)
    {
        int cin = i.Input.Channels, cout = i.Output.Channels, blocks = (cout + 3) / 4;
        var (start, end) = worker.Share(9 * blocks);
        for (var item = start; item < end; item++)
        {
            int tap = item / blocks, n = (item - tap * blocks) * 4;
            var source = buffers.Arena + i.Input.Offset + (8 - tap) * cin * cout + n;
            var target = buffers.Arena + i.Output.Offset + (tap * cout + n) * cin;
            for (; cout - n < 4 && n < cout; n++, source++, target += cin)
            {
                for (var c = 0; c < cin; c++)
                    target[c] = source[c * cout];
            }

            if (n == cout)
                continue;
            float* target1 = target + cin, target2 = target1 + cin, target3 = target2 + cin;
            for (var c = 0; c < cin; c++, source += cout)
                (target[c], target1[c], target2[c], target3[c]) = (source[0], source[1], source[2], source[3]);
        }
    }

    /// <summary>
    /// Workers own rows of the gradient, so that nothing is summed across them; a tile is six of the window's inputs by two vectors
    /// of output channels, summed over one image's pixels while they are in the cache.
    /// </summary>
    internal static void RunBackwardWeights<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        FeatureMap x = i.Saved, g = i.Input;
        var gradients = buffers.Arena + i.Gradients;
        // The first partial sum is the whole one here.
        var (start, end) = worker.Share((9 * x.Channels + 1) * g.Channels);
        for (var split = 1; split < i.Splits; split++)
            new Span<float>(gradients + (nint)split * i.SplitStride + start, end - start).Clear();
        if (SuitsWinograd<V>(x.Channels, g.Channels))
        {
            RunBackwardWeightsWinograd<V>(i, buffers, batch, worker);
            return;
        }

        if (x.Channels == 1 && g.Channels % V.Width == 0)
        {
            RunBackwardWeightsOfOneInput<V>(i, buffers, batch, worker);
            return;
        }

        int taps = 9 * x.Channels, columns = g.Channels, width = Micro<V>.OuterColumns;
        var rows = stackalloc int[Micro<V>.OuterRows];
        var columnBlocks = (columns + width - 1) / width;
        (start, end) = worker.Share((taps + Micro<V>.OuterRows - 1) / Micro<V>.OuterRows * columnBlocks);
        for (var image = 0; image < batch.Count; image++)
        {
            for (var block = start; block < end; block++)
            {
                int firstRow = block / columnBlocks * Micro<V>.OuterRows, column = block % columnBlocks * width;
                var count = Math.Min(Micro<V>.OuterRows, taps - firstRow);
                for (var r = 0; r < Micro<V>.OuterRows; r++)
                    rows[r] = Tap(x, firstRow + Math.Min(r, count - 1));
                Micro<V>.OuterProducts(
                    buffers.Arena + x.At(image, 0, 0), rows, x.RowStride, x.Channels,
                    buffers.Arena + g.At(image, 0, 0) + column, g.RowStride, g.Channels, x.Height, x.Width,
                    gradients + firstRow * columns + column, columns,
                    count, Math.Min(width, columns - column), accumulate: image > 0);
            }
        }

        (start, end) = worker.Share(columns);
        var bias = gradients + taps * columns;
        new Span<float>(bias + start, end - start).Clear();
        for (var pixel = 0; pixel < batch.Count * g.Height * g.Width && start < end; pixel++)
            Elements<V>.Add(buffers.Arena + g.AtPixel(pixel) + start, bias + start, end - start);
    }

    /// <summary>
    /// Workers own vectors of output channels; a tile is the nine taps of one of them and its bias, along a row of pixels.
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
            var top = buffers.Arena + x.At(image, y - 1, -1);
            float* middle = top + x.RowStride, bottom = middle + x.RowStride;
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

                var source = buffers.Arena + g.At(image, y, 0) + n;
                for (nint pixel = 0; pixel < g.Width; pixel++, source += cout)
                {
                    var gradient = V.Load(source);
                    V.AddProduct(V.Broadcast(top[pixel]), gradient, ref c0);
                    V.AddProduct(V.Broadcast(top[pixel + 1]), gradient, ref c1);
                    V.AddProduct(V.Broadcast(top[pixel + 2]), gradient, ref c2);
                    V.AddProduct(V.Broadcast(middle[pixel]), gradient, ref c3);
                    V.AddProduct(V.Broadcast(middle[pixel + 1]), gradient, ref c4);
                    V.AddProduct(V.Broadcast(middle[pixel + 2]), gradient, ref c5);
                    V.AddProduct(V.Broadcast(bottom[pixel]), gradient, ref c6);
                    V.AddProduct(V.Broadcast(bottom[pixel + 1]), gradient, ref c7);
                    V.AddProduct(V.Broadcast(bottom[pixel + 2]), gradient, ref c8);
                    bias += gradient;
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

    /// <summary>Bias, activation or derivative, in one pass over a pixel's channels.</summary>
    internal static void Store<V>(in Instruction i, in HostBuffers buffers, int pixel, int channel, float* sums, int count)
        where V : unmanaged, ISimd<V>
    {
        var output = buffers.Arena + i.Output.AtPixel(pixel) + channel;
        var bias = i.Bias < 0 ? null : buffers.Arena + i.Bias + channel;
        var saved = i.Derivative == Activation.None ? null : buffers.Arena + i.Saved.AtPixel(pixel) + channel;
        var c = 0;
        for (; c <= count - V.Width; c += V.Width)
            Store(i, V.Load(sums + c), bias + c, saved + c, output + c);
        for (; c < count; c++)
            Store(i, SimdScalar.Load(sums + c), bias + c, saved + c, output + c);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<T>(in Instruction i, T value, float* bias, float* saved, float* output)
        where T : unmanaged, ISimd<T>
    {
        if (i.Bias >= 0)
            value += T.Load(bias);
        value = Elements<T>.Activate(i.Activation, value);
        if (i.Derivative != Activation.None)
            value = Elements<T>.TimesDerivative(i.Derivative, T.Load(saved), value);
        T.Store(value, output);
    }

    /// <summary>ReLU, its derivative or neither.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreRectified<T>(bool activate, bool derive, T value, float* saved, float* output)
        where T : unmanaged, ISimd<T>
    {
        if (activate)
            value = T.Relu(value);
        if (derive)
            value = T.WherePositive(T.Load(saved), value);
        T.Store(value, output);
    }
}
