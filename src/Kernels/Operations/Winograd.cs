using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Products;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// Winograd's minimal filtering F(2×2, 3×3) (Lavin and Gray 2015, https://arxiv.org/abs/1509.09308): a tile of 2×2 outputs is
/// Aᵀ [(G w Gᵀ) ⊙ (Bᵀ d B)] A, where d are the 4×4 inputs that it sees. The product ⊙ is one of 16 components, each a matrix product over
/// channels: 16 multiplications instead of 36, for some additions. Its factors are 1 and ½ only, so it rounds about as a direct
/// sum does; F(4×4, 3×3) saves a quarter more on 14×14 pixels, but has factors from 1/24 to 5.
/// </summary>
/// <remarks>
/// <para>The transforms are written out below: Bᵀ for inputs, A for gradients, G for weights, Aᵀ and Gᵀ for what returns.</para>
/// <para>Faster than direct sums with the tile of <see cref="MicroKernel{V}"/> for 32 to 64 channels at 14×14 and, though the tiles at the edge
/// are partly empty, for 64 to 64 at 7×7. No faster: blocks of 12, 36 or 48 tiles. Slower: an exponential that could follow the sums,
/// since it takes their registers even where it is not used.</para>
/// </remarks>
internal static unsafe class Winograd
{
    private const int Components = 16;

    /// <summary>Tiles that a worker takes through all stages at a time, a multiple of six: their transforms stay in its cache.</summary>
    private const int ForwardBlock = 24;

    /// <summary>Vectors of weights that a worker transforms at a time at least.</summary>
    private const int WeightsPiece = 16;

    /// <summary>Tiles whose sum a register tile keeps before it is added to a weight's gradient.</summary>
    private const int BackwardBlock = 96;

    /// <summary>Whether channels fill register tiles and transforms fit into a worker's memory.</summary>
    public static bool Suits<V>(int read, int written)
        where V : unmanaged, ISimd<V> =>
        read % V.Width == 0 && written % MicroKernel<V>.NR == 0 && read >= 16 && written >= 16
        && Components * read * written <= Worker.SharedLength
        && Components * (Padded(ForwardBlock * read) + Padded(ForwardBlock * written)) <= Worker.ScratchLength
        && 4 * BackwardBlock * (Padded(read) + Padded(written)) <= Worker.ScratchLength;

    /// <summary>Floats between what is read together: a cache line more than it needs, since powers of two share sets of the cache.</summary>
    private static int Padded(int floats) => floats + 16;

    /// <summary>
    /// Workers take tiles of the output; the transformed weights are made by all together. A tile is a window of a <see cref="MaxPool2x2"/>,
    /// so that of a <see cref="PooledConv3x3"/> ends in one pixel.
    /// </summary>
    /// <param name="input">x (B, H, W, Cin), border 1.</param>
    /// <param name="filter">Arena offset of w (3, 3, Cin, Cout).</param>
    /// <param name="cout">Cout.</param>
    /// <param name="tiles">Of the output.</param>
    /// <param name="epilogue">What becomes of a tile's products.</param>
    public static void Convolve<V, TEpilogue>(
        in HostBuffers buffers, in FeatureMap input, int filter, int cout, in WinogradTiles tiles, in TEpilogue epilogue, Worker worker)
        where V : unmanaged, ISimd<V>
        where TEpilogue : struct, IWinogradEpilogue
    {
        var cin = input.Channels;
        int inputStride = Padded(ForwardBlock * cin), productStride = Padded(ForwardBlock * cout);
        float* weights = worker.Shared, inputs = worker.Scratch, products = inputs + Components * inputStride;
        TransformWeights<V>(buffers.Arena + filter, weights, cin * cout, worker);
        worker.WaitForAll();
        foreach (var (first, end) in worker.Tiles(tiles.Count, MicroKernel<V>.MR, ForwardBlock))
        {
            var count = end - first;
            for (var t = 0; t < count; t++)
                TransformInput<V>(buffers.Arena, input, tiles.At(first + t), 0, 4, inputs + t * cin, inputStride);

            var blocks = (count + MicroKernel<V>.MR - 1) / MicroKernel<V>.MR;
            for (var component = 0; component < Components; component++)
            {
                for (var n = 0; n < cout; n += MicroKernel<V>.NR)
                {
                    Panel<V>.Multiply(
                        inputs + component * inputStride, cin, 1, weights + component * cin * cout + n, cout, cin,
                        products + component * productStride + n, cout, blocks);
                }
            }

            for (var t = 0; t < count; t++)
                epilogue.Finish<V>(tiles.At(first + t), products + t * cout, productStride);
        }
    }

    /// <summary>
    /// ∂L/∂(G w Gᵀ) = Σ (Bᵀ d B) ⊙ (A g Aᵀ) over all tiles. Workers own rows of the 4×4 components and columns of output channels, so that
    /// nothing is summed across them, and make just the transforms that these need; then weights, with all components at hand.
    /// </summary>
    public static void WeightGradients<V>(
        in HostBuffers buffers, in FeatureMap x, in FeatureMap g, int target, int images, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int cin = x.Channels, cout = g.Channels, columnBlocks = cout / MicroKernel<V>.NR;
        int inputRow = Padded(cin), inputStride = BackwardBlock * inputRow, gradientStride = BackwardBlock * Padded(cout);
        float* sums = worker.Shared, inputs = worker.Scratch, gradients = inputs + 4 * inputStride;
        var bias = buffers.Arena + target + 9 * cin * cout;
        var tiles = new WinogradTiles(x, images);
        var (start, end) = worker.Range(4 * columnBlocks);
        for (var first = 0; first < tiles.Count; first += BackwardBlock)
        {
            var count = Math.Min(BackwardBlock, tiles.Count - first);
            for (int item = start, next; item < end; item = next)
            {
                // As many column blocks of one row of components as are this worker's.
                var row = item / columnBlocks;
                next = Math.Min(end, (row + 1) * columnBlocks);
                int column = item % columnBlocks * MicroKernel<V>.NR, columns = (next - item) * MicroKernel<V>.NR;
                var gradientRow = Padded(columns);
                for (var t = 0; t < count; t++)
                {
                    var tile = tiles.At(first + t);
                    TransformInput<V>(buffers.Arena, x, tile, row, row + 1, inputs + t * inputRow, inputStride);
                    TransformGradient<V>(buffers.Arena + column, g, tile, row, gradients + t * gradientRow, gradientStride, columns);
                }

                for (var component = 0; component < 4; component++)
                {
                    float* left = inputs + component * inputStride, right = gradients + component * gradientStride;
                    for (var n = 0; n < columns; n += MicroKernel<V>.NR)
                    {
                        Panel<V>.Multiply(
                            left, 1, inputRow, right + n, gradientRow, count, sums + (4 * row + component) * cin * cout + column + n, cout,
                            cin, MicroKernel<V>.NR, accumulate: first > 0);
                    }

                    // The middle components of a tile's gradient are the sum of its four.
                    if (row == 1 && component == 1)
                        SumRows<V>(right, gradientRow, count, columns, bias + column, accumulate: first > 0);
                }
            }
        }

        worker.WaitForAll();
        ReturnWeights<V>(sums, buffers.Arena + target, cin * cout, worker);
    }

    /// <summary>Gᵀ = (1 ½ ½ 0; 0 ½ −½ 0; 0 ½ ½ 1) forth and back: w (9, N) to G w Gᵀ (16, N).</summary>
    private static void TransformWeights<V>(float* weights, float* transformed, int length, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        var half = V.Broadcast(0.5f);
        var rows = stackalloc V[12];
        foreach (var vector in worker.Items(length / V.Width, WeightsPiece))
        {
            var k = vector * V.Width;
            for (var s = 0; s < 3; s++)
            {
                V a = V.Load(weights + s * length + k), b = V.Load(weights + (3 + s) * length + k), c = V.Load(weights + (6 + s) * length + k);
                (rows[s], rows[3 + s], rows[6 + s], rows[9 + s]) = (a, half * (a + c + b), half * (a + c - b), c);
            }

            for (var row = 0; row < 4; row++)
            {
                V a = rows[3 * row], b = rows[3 * row + 1], c = rows[3 * row + 2];
                var target = transformed + 4 * row * length + k;
                V.Store(a, target);
                V.Store(half * (a + c + b), target + length);
                V.Store(half * (a + c - b), target + 2 * length);
                V.Store(c, target + 3 * length);
            }
        }
    }

    /// <summary>The sums (16, N) to Gᵀ sums G (9, N).</summary>
    private static void ReturnWeights<V>(float* sums, float* weights, int length, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        var half = V.Broadcast(0.5f);
        var rows = stackalloc V[12];
        foreach (var vector in worker.Items(length / V.Width, WeightsPiece))
        {
            var k = vector * V.Width;
            for (var component = 0; component < 4; component++)
            {
                var source = sums + component * length + k;
                V a = V.Load(source), d = V.Load(source + 12 * length);
                V b = half * V.Load(source + 4 * length), c = half * V.Load(source + 8 * length);
                (rows[component], rows[4 + component], rows[8 + component]) = (a + (b + c), b - c, b + c + d);
            }

            for (var r = 0; r < 3; r++)
            {
                V a = rows[4 * r], b = half * rows[4 * r + 1], c = half * rows[4 * r + 2], d = rows[4 * r + 3];
                var target = weights + 3 * r * length + k;
                V.Store(a + (b + c), target);
                V.Store(b - c, target + length);
                V.Store(b + c + d, target + 2 * length);
            }
        }
    }

    /// <summary>Rows of Bᵀ d B, with Bᵀ = (1 0 −1 0; 0 1 1 0; 0 −1 1 0; 0 1 0 −1), for all channels of a tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformInput<V>(
        float* arena, in FeatureMap map, WinogradTile tile, int row, int lastRow, float* target, nint componentStride)
        where V : unmanaged, ISimd<V>
    {
        int y = 2 * tile.Row - 1, x = 2 * tile.Column - 1, channels = map.Channels;
        // With an odd height or width the last tile looks beyond the border: rows and columns of zeros are there, too.
        var top = arena + map.At(tile.Image, y, x);
        float* second = top + map.RowStride, third = second + map.RowStride;
        var bottom = y + 3 > map.Height ? arena + map.At(tile.Image, -1, x) : third + map.RowStride;
        var beyond = x + 3 > map.Width;
        for (; row < lastRow; row++, target += 4 * componentStride)
        {
            float* a = row == 0 ? top : row == 2 ? third : second, b = row == 2 ? second : row == 3 ? bottom : third;
            float* target1 = target + componentStride, target2 = target1 + componentStride, target3 = target2 + componentStride;
            for (nint c = 0; c < channels; c += V.Width)
            {
                V first, middle, next, last = default;
                if (row == 1)
                {
                    first = V.Load(a + c) + V.Load(b + c);
                    middle = V.Load(a + channels + c) + V.Load(b + channels + c);
                    next = V.Load(a + 2 * channels + c) + V.Load(b + 2 * channels + c);
                    if (!beyond)
                        last = V.Load(a + 3 * channels + c) + V.Load(b + 3 * channels + c);
                }
                else
                {
                    first = V.Load(a + c) - V.Load(b + c);
                    middle = V.Load(a + channels + c) - V.Load(b + channels + c);
                    next = V.Load(a + 2 * channels + c) - V.Load(b + 2 * channels + c);
                    if (!beyond)
                        last = V.Load(a + 3 * channels + c) - V.Load(b + 3 * channels + c);
                }

                V.Store(first - next, target + c);
                V.Store(middle + next, target1 + c);
                V.Store(next - middle, target2 + c);
                V.Store(middle - last, target3 + c);
            }
        }
    }

    /// <summary>One row of A g Aᵀ, with A = (1 0; 1 1; 1 −1; 0 −1), for some channels of a tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformGradient<V>(
        float* arena, in FeatureMap map, WinogradTile tile, int row, float* target, nint componentStride, int channels)
        where V : unmanaged, ISimd<V>
    {
        int y = 2 * tile.Row, x = 2 * tile.Column;
        var top = arena + map.At(tile.Image, y, x);
        var bottom = top + map.RowStride;
        bool hasBottom = y + 1 < map.Height, hasRight = x + 1 < map.Width;
        for (var c = 0; c < channels; c += V.Width)
        {
            V left = default, right = default;
            if (row < 3)
            {
                left = V.Load(top + c);
                if (hasRight)
                    right = V.Load(top + map.Channels + c);
            }

            if (row > 0 && hasBottom)
            {
                V lowerLeft = V.Load(bottom + c), lowerRight = default;
                if (hasRight)
                    lowerRight = V.Load(bottom + map.Channels + c);
                (left, right) = row == 1 ? (left + lowerLeft, right + lowerRight) : (left - lowerLeft, right - lowerRight);
            }

            V.Store(left, target + c);
            V.Store(left + right, target + componentStride + c);
            V.Store(left - right, target + 2 * componentStride + c);
            V.Store(default(V) - right, target + 3 * componentStride + c);
        }
    }

    /// <summary>Aᵀ times a column of products: (1 1 1 0; 0 1 −1 −1).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Columns<V>(float* products, nint row, out V top, out V bottom)
        where V : unmanaged, ISimd<V>
    {
        V second = V.Load(products + row), third = V.Load(products + 2 * row);
        top = V.Load(products) + second + third;
        bottom = second - third - V.Load(products + 3 * row);
    }

    private static void SumRows<V>(float* rows, int stride, int count, int length, float* sums, bool accumulate)
        where V : unmanaged, ISimd<V>
    {
        if (!accumulate)
            new Span<float>(sums, length).Clear();
        for (var row = 0; row < count; row++)
            Elementwise<V>.Add(rows + row * stride, sums, length);
    }
}

/// <summary>What becomes of the products of a tile of 2×2 outputs.</summary>
internal unsafe interface IWinogradEpilogue
{
    /// <summary>Returns a tile's products to pixels and stores them.</summary>
    /// <param name="products">(16, Cout), rows <paramref name="componentStride"/> floats apart.</param>
    void Finish<V>(WinogradTile tile, float* products, nint componentStride)
        where V : unmanaged, ISimd<V>;
}

/// <summary>Tiles of 2×2 pixels, row-major over (B, tiles down, tiles across).</summary>
internal readonly struct WinogradTiles(int down, int across, int batch)
{
    /// <summary>Enough to cover a map, also one of an odd height or width.</summary>
    public WinogradTiles(in FeatureMap map, int batch)
        : this((map.Height + 1) / 2, (map.Width + 1) / 2, batch)
    {
    }

    public int Count => batch * down * across;

    public WinogradTile At(int index)
    {
        int row = index / across, image = row / down;
        return new(image, row - image * down, index - row * across);
    }
}

internal readonly record struct WinogradTile(int Image, int Row, int Column);
