using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Products;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;

namespace AutoencoderGpu.Kernels.Operations;

public unsafe partial struct PooledConv3x3
{
    /// <summary>Windows whose pixels fill two tiles of six.</summary>
    private const int Windows = 3;

    /// <summary>Workers take windows; two tiles are three windows by two vectors of output channels.</summary>
    static void IOperation<PooledConv3x3>.Run<V>(in PooledConv3x3 i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        if (Winograd.Suits<V>(i.Input.Channels, i.Output.Channels))
        {
            // A tile is a window.
            var tiles = new WinogradTiles(i.Output.Height, i.Output.Width, batch.Count);
            Winograd.Convolve<V, WinogradEpilogue>(buffers, i.Input, i.Weights, i.Output.Channels, tiles, new(i, buffers.Arena), worker);
            return;
        }

        if (i.Input.Channels == 1 && i.Output.Channels % MicroKernel<V>.NR == 0)
        {
            RunOneInput<V>(i, buffers, batch, worker);
            return;
        }

        int cout = i.Output.Channels, inputRow = 3 * i.Input.Channels, width = MicroKernel<V>.NR;
        var rows = stackalloc int[2 * MicroKernel<V>.MR];
        var tile = stackalloc float[2 * MicroKernel<V>.MR * width];
        float* corner = buffers.Arena - i.Input.RowStride - i.Input.Channels, weights = buffers.Arena + i.Weights;
        var windows = batch.Count * i.Output.Height * i.Output.Width;
        foreach (var block in worker.Items((windows + Windows - 1) / Windows))
        {
            var first = block * Windows;
            for (var r = 0; r < 2 * MicroKernel<V>.MR; r++)
                rows[r] = Pixel(i.Input, i.Output, Math.Min(4 * first + r, 4 * windows - 1));
            for (var n = 0; n < cout; n += width)
            {
                for (var half = 0; half < 2 * MicroKernel<V>.MR; half += MicroKernel<V>.MR)
                {
                    MicroKernel<V>.OuterProducts(
                        corner, rows + half, i.Input.RowStride, 1, weights + n, inputRow * cout, cout, 3, inputRow, tile + half * width, width);
                }

                var count = Math.Min(width, cout - n);
                for (var window = first; window < Math.Min(windows, first + Windows); window++)
                {
                    var output = buffers.Arena + i.Output.AtPixel(window) + n;
                    var argmax = buffers.Arena + i.Argmax.AtPixel(window) + n;
                    MaxPool2x2.Pool<V>(tile + 4 * (window - first) * width, width, 2 * width, output, argmax, count);
                    Elementwise<V>.Add(buffers.Arena + i.Bias + n, output, count);
                    Activations<V>.Activate(i.Activation, output, count);
                }
            }
        }
    }

    /// <summary>
    /// With one input channel a convolution's window is nine numbers, too few to pay for a general tile's loop and a detour of its
    /// sums through memory. Workers take rows of pooled pixels; a tile is one of them by two vectors of output channels.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunOneInput<V>(in PooledConv3x3 i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int cout = i.Output.Channels;
        nint inputRow = i.Input.RowStride;
        var activate = i.Activation == Activation.Relu;
        foreach (var row in worker.Items(batch.Count * i.Output.Height))
        {
            int image = row / i.Output.Height, y = row - image * i.Output.Height;
            var input = buffers.Arena + i.Input.At(image, 2 * y - 1, -1);
            for (var n = 0; n < cout; n += MicroKernel<V>.NR)
            {
                V bias0 = V.Load(buffers.Arena + i.Bias + n), bias1 = V.Load(buffers.Arena + i.Bias + n + V.Width);
                float* output = buffers.Arena + i.Output.At(image, y, 0) + n, argmax = buffers.Arena + i.Argmax.At(image, y, 0) + n;
                for (var x = 0; x < i.Output.Width; x++, output += cout, argmax += cout)
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

                    Store(activate, c00, c10, c20, c30, bias0, output, argmax);
                    Store(activate, c01, c11, c21, c31, bias1, output + V.Width, argmax + V.Width);
                }
            }

            for (var x = 0; x < i.Output.Width && !Activations.IsShort(i.Activation); x++)
                Activations<V>.Activate(i.Activation, buffers.Arena + i.Output.At(image, y, x), cout);
        }
    }

    /// <summary>Aᵀ products A, then the greatest of its four pixels, bias and activation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PoolProducts<V>(
        in PooledConv3x3 i, float* arena, WinogradTile tile, float* products, nint componentStride)
        where V : unmanaged, ISimd<V>
    {
        float* output = arena + i.Output.At(tile.Image, tile.Row, tile.Column), bias = arena + i.Bias;
        var argmax = arena + i.Argmax.At(tile.Image, tile.Row, tile.Column);
        var activate = i.Activation == Activation.Relu;
        nint row = 4 * componentStride, cout = i.Output.Channels;
        for (nint c = 0; c < cout; c += V.Width)
        {
            var source = products + c;
            Winograd.Columns(source, row, out V top0, out V bottom0);
            Winograd.Columns(source + componentStride, row, out V top1, out V bottom1);
            Winograd.Columns(source + 2 * componentStride, row, out V top2, out V bottom2);
            Winograd.Columns(source + 3 * componentStride, row, out V top3, out V bottom3);
            Store(
                activate, top0 + top1 + top2, top1 - top2 - top3, bottom0 + bottom1 + bottom2, bottom1 - bottom2 - bottom3,
                V.Load(bias + c), output + c, argmax + c);
        }
    }

    /// <summary>The greatest of a window's sums, its bias and ReLU or nothing, and the argmax.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<T>(bool activate, T a, T b, T c, T d, T bias, float* output, float* argmax)
        where T : unmanaged, ISimd<T>
    {
        var sum = MaxPool2x2.Max(a, b, c, d, out var place) + bias;
        if (activate)
            sum = T.Relu(sum);
        T.Store(sum, output);
        T.Store(place, argmax);
    }

    /// <summary>What becomes of a tile's products: <see cref="PoolProducts"/>, and then an activation that is too long for its registers.</summary>
    private readonly struct WinogradEpilogue(in PooledConv3x3 i, float* arena) : IWinogradEpilogue
    {
        private readonly PooledConv3x3 _i = i;

        public void Finish<V>(WinogradTile tile, float* products, nint componentStride)
            where V : unmanaged, ISimd<V>
        {
            PoolProducts<V>(_i, arena, tile, products, componentStride);
            if (!Activations.IsShort(_i.Activation))
                Activations<V>.Activate(_i.Activation, arena + _i.Output.At(tile.Image, tile.Row, tile.Column), _i.Output.Channels);
        }
    }
}
