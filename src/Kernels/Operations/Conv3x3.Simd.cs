using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Products;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;

namespace AutoencoderGpu.Kernels.Operations;

public unsafe partial struct Conv3x3
{
    /// <summary>
    /// Workers take pixels; a tile is six pixels, wherever they are in rows and images, by two vectors of output channels.
    /// </summary>
    static void IOperation<Conv3x3>.Run<V>(in Conv3x3 i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        if (Winograd.Suits<V>(i.Input.Channels, i.Output.Channels))
        {
            var tiles = new WinogradTiles(i.Output, batch.Count);
            Winograd.Convolve<V, WinogradEpilogue>(buffers, i.Input, i.Weights, i.Output.Channels, tiles, new(i, buffers.Arena), worker);
            return;
        }

        var pixels = batch.Count * i.Output.Height * i.Output.Width;
        int cout = i.Output.Channels, row = 3 * i.Input.Channels;
        int tileRows = MicroKernel<V>.MR, width = MicroKernel<V>.NR;
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
                MicroKernel<V>.OuterProducts(corner, rows, i.Input.RowStride, 1, weights + n, row * cout, cout, 3, row, tile, width);
                for (var r = 0; r < count; r++)
                    Store<V>(i, buffers, first + r, n, tile + r * width, Math.Min(width, cout - n));
            }
        }
    }

    /// <summary>Bias, activation or derivative, in one pass over a pixel's channels.</summary>
    private static void Store<V>(in Conv3x3 i, in HostBuffers buffers, int pixel, int channel, float* sums, int count)
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
    private static void Store<T>(in Conv3x3 i, T value, float* bias, float* saved, float* output)
        where T : unmanaged, ISimd<T>
    {
        if (i.Bias >= 0)
            value += T.Load(bias);
        value = Activations<T>.Apply(i.Activation, value);
        if (i.Derivative != Activation.None)
            value = Activations<T>.TimesDerivative(i.Derivative, T.Load(saved), value);
        T.Store(value, output);
    }

    /// <summary>Aᵀ products A, then bias, activation or derivative, to the one to four pixels of a tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformProducts<V>(
        in Conv3x3 i, float* arena, WinogradTile tile, float* products, nint componentStride)
        where V : unmanaged, ISimd<V>
    {
        int y = 2 * tile.Row, x = 2 * tile.Column, cout = i.Output.Channels;
        bool hasBottom = y + 1 < i.Output.Height, hasRight = x + 1 < i.Output.Width;
        var output = arena + i.Output.At(tile.Image, y, x);
        bool activate = i.Activation == Activation.Relu, derive = i.Derivative == Activation.Relu, hasBias = i.Bias >= 0;
        var saved = derive ? arena + i.Saved.At(tile.Image, y, x) : output;
        var bias = hasBias ? arena + i.Bias : output;
        nint outputRow = i.Output.RowStride, savedRow = i.Saved.RowStride, row = 4 * componentStride;
        for (nint c = 0; c < cout; c += V.Width)
        {
            var source = products + c;
            Winograd.Columns(source, row, out V top0, out V bottom0);
            Winograd.Columns(source + componentStride, row, out V top1, out V bottom1);
            Winograd.Columns(source + 2 * componentStride, row, out V top2, out V bottom2);
            Winograd.Columns(source + 3 * componentStride, row, out V top3, out V bottom3);
            V shift = hasBias ? V.Load(bias + c) : default;
            StoreRectified(activate, derive, top0 + top1 + top2 + shift, saved + c, output + c);
            if (hasRight)
                StoreRectified(activate, derive, top1 - top2 - top3 + shift, saved + cout + c, output + cout + c);
            if (!hasBottom)
                continue;
            StoreRectified(activate, derive, bottom0 + bottom1 + bottom2 + shift, saved + savedRow + c, output + outputRow + c);
            if (hasRight)
                StoreRectified(activate, derive, bottom1 - bottom2 - bottom3 + shift, saved + savedRow + cout + c, output + outputRow + cout + c);
        }
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

    /// <summary>What becomes of a tile's products: <see cref="TransformProducts"/>, and then the activations that are too long for its registers.</summary>
    private readonly struct WinogradEpilogue(in Conv3x3 i, float* arena) : IWinogradEpilogue
    {
        private readonly Conv3x3 _i = i;

        public void Finish<V>(WinogradTile tile, float* products, nint componentStride)
            where V : unmanaged, ISimd<V>
        {
            TransformProducts<V>(_i, arena, tile, products, componentStride);
            if (Activations.IsShort(_i.Activation) && Activations.IsShort(_i.Derivative))
                return;
            for (var y = 2 * tile.Row; y < Math.Min(_i.Output.Height, 2 * tile.Row + 2); y++)
            {
                var output = arena + _i.Output.At(tile.Image, y, 2 * tile.Column);
                var count = Math.Min(2, _i.Output.Width - 2 * tile.Column) * _i.Output.Channels;
                Activations<V>.Activate(_i.Activation, output, count);
                if (_i.Derivative != Activation.None)
                    Activations<V>.TimesDerivative(_i.Derivative, arena + _i.Saved.At(tile.Image, y, 2 * tile.Column), output, output, count);
            }
        }
    }
}
