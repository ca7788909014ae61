using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Simd;

namespace AutoencoderGpu.Kernels.Operations;

public static unsafe partial class Conv3x3
{
    /// <summary>
    /// Workers take pixels; a tile is six pixels, wherever they are in rows and images, by two vectors of output channels.
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

        var pixels = batch.Count * i.Output.Height * i.Output.Width;
        int cout = i.Output.Channels, row = 3 * i.Input.Channels;
        int tileRows = Micro<V>.OuterRows, width = Micro<V>.OuterColumns;
        var rows = stackalloc int[tileRows];
        var tile = stackalloc float[tileRows * width];
        float* corner = buffers.Arena - i.Input.RowStride - i.Input.Channels, weights = buffers.Arena + i.Weights;
        foreach (var block in worker.Items((pixels + tileRows - 1) / tileRows))
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

    /// <summary>Workers take rows of the result, four of a tap at a time: what four of them read lies in one cache line.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void RunRotate(in Instruction i, in HostBuffers buffers, Worker worker)
    {
        int cin = i.Input.Channels, cout = i.Output.Channels, blocks = (cout + 3) / 4;
        foreach (var item in worker.Items(9 * blocks))
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
        ClearOtherSplits(i, buffers, worker);
        if (SuitsWinograd<V>(x.Channels, g.Channels))
        {
            RunBackwardWeightsWinograd<V>(i, buffers, batch, worker);
            return;
        }

        for (var image = 0; image < batch.Count; image++)
        {
            AddWeightGradients<V>(
                x, buffers.Arena + x.At(image, 0, 0), g, buffers.Arena + g.At(image, 0, 0), buffers.Arena + i.Gradients,
                accumulate: image > 0, worker);
        }

        SumBias<V>(i, buffers, batch, worker);
    }

    /// <summary>The first partial sum is the whole one on the CPU; the others become zeros.</summary>
    internal static void ClearOtherSplits(in Instruction i, in HostBuffers buffers, Worker worker)
    {
        var (start, end) = worker.Share((9 * i.Saved.Channels + 1) * i.Input.Channels);
        for (var split = 1; split < i.Splits; split++)
            new Span<float>(buffers.Arena + i.Gradients + (nint)split * i.SplitStride + start, end - start).Clear();
    }

    /// <summary>The weights' gradients from some rows of pixels.</summary>
    /// <param name="input">The first row's first pixel, in a map like <paramref name="x"/>.</param>
    /// <param name="gradient">The first row's first pixel, in a map like <paramref name="g"/>, which has as many rows as are summed.</param>
    /// <param name="target">(9·Cin, Cout)</param>
    /// <param name="accumulate">Whether the sums are added to the target instead of overwriting it.</param>
    internal static void AddWeightGradients<V>(
        in FeatureMap x, float* input, in FeatureMap g, float* gradient, float* target, bool accumulate, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int taps = 9 * x.Channels, columns = g.Channels, width = Micro<V>.OuterColumns;
        var rows = stackalloc int[Micro<V>.OuterRows];
        var columnBlocks = (columns + width - 1) / width;
        var (start, end) = worker.Share((taps + Micro<V>.OuterRows - 1) / Micro<V>.OuterRows * columnBlocks);
        for (var block = start; block < end; block++)
        {
            int firstRow = block / columnBlocks * Micro<V>.OuterRows, column = block % columnBlocks * width;
            var count = Math.Min(Micro<V>.OuterRows, taps - firstRow);
            for (var r = 0; r < Micro<V>.OuterRows; r++)
                rows[r] = Window(x, 0) + Tap(x, firstRow + Math.Min(r, count - 1));
            Micro<V>.OuterProducts(
                input, rows, x.RowStride, x.Channels, gradient + column, g.RowStride, g.Channels, g.Height, g.Width,
                target + firstRow * columns + column, columns, count, Math.Min(width, columns - column), accumulate);
        }
    }

    /// <summary>The bias's gradient, to the row behind the weights'; workers own columns.</summary>
    internal static void SumBias<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        var g = i.Input;
        var (start, end) = worker.Share(g.Channels);
        var bias = buffers.Arena + i.Gradients + 9 * i.Saved.Channels * g.Channels;
        new Span<float>(bias + start, end - start).Clear();
        for (var pixel = 0; pixel < batch.Count * g.Height * g.Width && start < end; pixel++)
            Elements<V>.Add(buffers.Arena + g.AtPixel(pixel) + start, bias + start, end - start);
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
