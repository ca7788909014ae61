using System.Runtime.CompilerServices;

namespace AutoencoderGpu.Kernels.Simd;

/// <summary>
/// The register tiles of a dense layer, beside those of <see cref="Micro{V}"/>: <see cref="Dot"/> forward, <see cref="Sum"/> for
/// the gradient of the inputs, <see cref="Add"/> for the update. They are of the same make and as large as 16 registers allow, but
/// rows are evenly strided, images come in fives, which divide mini-batches of 10 and 100, and what follows the sums is done
/// while they are at hand.
/// </summary>
/// <remarks>
/// <para>Rows beyond the last are taken for the last one again, here and in the targets: they cost time, but no branch, and
/// write what is written anyway. Columns of two vectors must exist, in memory of the caller's if not in the matrix.</para>
/// <para>Tried, measured, and no faster: fetching the next columns' weights ahead of time (the processor's own guesses do
/// as well), <see cref="Dot"/> unrolled once, and a call a tile or one for a column of them. Slower: sums written out and taken
/// up again for bias and update, and six images a tile, two of twelve computed for nothing. Accumulators of <see cref="Add"/> that begin
/// as the weights are as fast, but round every product to the precision of the weight, not of the gradient.</para>
/// </remarks>
internal static unsafe class DenseTiles<V>
    where V : unmanaged, ISimd<V>
{
    /// <summary>Rows of a tile of <see cref="Dot"/> and <see cref="Sum"/>: images.</summary>
    public const int ImageRows = 5;

    /// <summary>Rows of a tile of <see cref="Add"/>: outputs.</summary>
    public const int OutputRows = 6;

    /// <summary>Columns of <see cref="Sum"/> and <see cref="Add"/>.</summary>
    public static int Columns => 2 * V.Width;

    /// <summary>target[r, c] = bias[c] + Σ_k a[r, k] · b[c, k], over k below depth, two columns at a time: 10 FMA for 7 loads.</summary>
    /// <param name="a">(rows, depth).</param>
    /// <param name="rows">At most 5.</param>
    /// <param name="b">(columns, depth).</param>
    /// <param name="target">(rows, columns), rows <paramref name="stride"/> floats apart.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dot(float* a, int rows, float* b, int depth, int columns, float* bias, float* target, nint stride)
    {
        nint r1 = Math.Min(1, rows - 1), r2 = Math.Min(2, rows - 1), r3 = Math.Min(3, rows - 1), r4 = Math.Min(4, rows - 1);
        float* a0 = a, a1 = a + r1 * depth, a2 = a + r2 * depth, a3 = a + r3 * depth, a4 = a + r4 * depth;
        nint whole = depth - depth % V.Width;
        var tile = stackalloc float[2 * ImageRows + 2];
        for (var column = 0; column < columns; column += 2)
        {
            V c00 = default, c01 = default, c10 = default, c11 = default, c20 = default;
            V c21 = default, c30 = default, c31 = default, c40 = default, c41 = default;
            // The second of an odd last pair is the first once more.
            var next = Math.Min(1, columns - 1 - column);
            var b1 = b + (nint)next * depth;
            for (nint k = 0; k < whole; k += V.Width)
            {
                V right0 = V.Load(b + k), right1 = V.Load(b1 + k);
                var left = V.Load(a0 + k);
                V.AddProduct(left, right0, ref c00);
                V.AddProduct(left, right1, ref c01);
                left = V.Load(a1 + k);
                V.AddProduct(left, right0, ref c10);
                V.AddProduct(left, right1, ref c11);
                left = V.Load(a2 + k);
                V.AddProduct(left, right0, ref c20);
                V.AddProduct(left, right1, ref c21);
                left = V.Load(a3 + k);
                V.AddProduct(left, right0, ref c30);
                V.AddProduct(left, right1, ref c31);
                left = V.Load(a4 + k);
                V.AddProduct(left, right0, ref c40);
                V.AddProduct(left, right1, ref c41);
            }

            V.StoreSums(c00, c01, c10, c11, tile);
            V.StoreSums(c20, c21, c30, c31, tile + 4);
            V.StoreSums(c40, c41, c40, c41, tile + 8);
            for (var k = whole; k < depth; k++)
            {
                tile[0] += a0[k] * b[k];
                tile[1] += a0[k] * b1[k];
                tile[2] += a1[k] * b[k];
                tile[3] += a1[k] * b1[k];
                tile[4] += a2[k] * b[k];
                tile[5] += a2[k] * b1[k];
                tile[6] += a3[k] * b[k];
                tile[7] += a3[k] * b1[k];
                tile[8] += a4[k] * b[k];
                tile[9] += a4[k] * b1[k];
            }

            float bias0 = bias[column], bias1 = bias[column + next];
            Store(tile, bias0, bias1, target, next);
            Store(tile + 2, bias0, bias1, target + r1 * stride, next);
            Store(tile + 4, bias0, bias1, target + r2 * stride, next);
            Store(tile + 6, bias0, bias1, target + r3 * stride, next);
            Store(tile + 8, bias0, bias1, target + r4 * stride, next);
            target += 2;
            b = b1 + depth;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* sums, float bias0, float bias1, float* target, int next)
    {
        target[next] = sums[1] + bias1;
        target[0] = sums[0] + bias0;
    }

    /// <summary>target[r, c] = Σ_k a[r, k] · b[k, c], over k below depth: 10 FMA for 7 loads.</summary>
    /// <param name="a">(rows, depth), rows <paramref name="aStride"/> floats apart.</param>
    /// <param name="rows">At most 5.</param>
    /// <param name="b">(depth, 2 vectors), rows <paramref name="bStride"/> floats apart.</param>
    /// <param name="target">(rows, 2 vectors), rows <paramref name="stride"/> floats apart.</param>
    /// <param name="accumulate">Whether the sums are added to the target instead of overwriting it.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Sum(
        float* a, int rows, nint aStride, float* b, nint bStride, int depth, float* target, nint stride, bool accumulate)
    {
        V c00 = default, c01 = default, c10 = default, c11 = default, c20 = default;
        V c21 = default, c30 = default, c31 = default, c40 = default, c41 = default;
        nint r1 = Math.Min(1, rows - 1), r2 = Math.Min(2, rows - 1), r3 = Math.Min(3, rows - 1), r4 = Math.Min(4, rows - 1);
        float* a0 = a, a1 = a + r1 * aStride, a2 = a + r2 * aStride, a3 = a + r3 * aStride, a4 = a + r4 * aStride;
        if (accumulate)
        {
            (c00, c01) = Load(target);
            (c10, c11) = Load(target + r1 * stride);
            (c20, c21) = Load(target + r2 * stride);
            (c30, c31) = Load(target + r3 * stride);
            (c40, c41) = Load(target + r4 * stride);
        }

        for (nint k = 0; k < depth; k++)
        {
            V b0 = V.Load(b), b1 = V.Load(b + V.Width);
            var left = V.Broadcast(a0[k]);
            V.AddProduct(left, b0, ref c00);
            V.AddProduct(left, b1, ref c01);
            left = V.Broadcast(a1[k]);
            V.AddProduct(left, b0, ref c10);
            V.AddProduct(left, b1, ref c11);
            left = V.Broadcast(a2[k]);
            V.AddProduct(left, b0, ref c20);
            V.AddProduct(left, b1, ref c21);
            left = V.Broadcast(a3[k]);
            V.AddProduct(left, b0, ref c30);
            V.AddProduct(left, b1, ref c31);
            left = V.Broadcast(a4[k]);
            V.AddProduct(left, b0, ref c40);
            V.AddProduct(left, b1, ref c41);
            b += bStride;
        }

        Store(c00, c01, target);
        Store(c10, c11, target + r1 * stride);
        Store(c20, c21, target + r2 * stride);
        Store(c30, c31, target + r3 * stride);
        Store(c40, c41, target + r4 * stride);
    }

    /// <summary>target[r, c] += Σ_k a[k, r] · b[k, c], over k below depth, six rows at a time: 12 FMA for 8 loads.</summary>
    /// <param name="a">(depth, rows), rows <paramref name="aStride"/> floats apart; a last tile's columns beyond repeat the last one.</param>
    /// <param name="b">(depth, 2 vectors), rows <paramref name="bStride"/> floats apart.</param>
    /// <param name="target">(rows, 2 vectors), rows <paramref name="stride"/> floats apart.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* a, nint aStride, float* b, nint bStride, int depth, int rows, float* target, nint stride)
    {
        for (; rows > 0; rows -= OutputRows)
        {
            V c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default;
            V c30 = default, c31 = default, c40 = default, c41 = default, c50 = default, c51 = default;
            float* left = a, right = b;
            for (var k = depth; k > 0; k--)
            {
                V b0 = V.Load(right), b1 = V.Load(right + V.Width);
                var value = V.Broadcast(left[0]);
                V.AddProduct(value, b0, ref c00);
                V.AddProduct(value, b1, ref c01);
                value = V.Broadcast(left[1]);
                V.AddProduct(value, b0, ref c10);
                V.AddProduct(value, b1, ref c11);
                value = V.Broadcast(left[2]);
                V.AddProduct(value, b0, ref c20);
                V.AddProduct(value, b1, ref c21);
                value = V.Broadcast(left[3]);
                V.AddProduct(value, b0, ref c30);
                V.AddProduct(value, b1, ref c31);
                value = V.Broadcast(left[4]);
                V.AddProduct(value, b0, ref c40);
                V.AddProduct(value, b1, ref c41);
                value = V.Broadcast(left[5]);
                V.AddProduct(value, b0, ref c50);
                V.AddProduct(value, b1, ref c51);
                left += aStride;
                right += bStride;
            }

            // Rows that are there twice must be read before they are written.
            var last = rows - 1;
            float* t1 = target + Math.Min(1, last) * stride, t2 = target + Math.Min(2, last) * stride;
            float* t3 = target + Math.Min(3, last) * stride, t4 = target + Math.Min(4, last) * stride;
            var t5 = target + Math.Min(5, last) * stride;
            AddFrom(target, ref c00, ref c01);
            AddFrom(t1, ref c10, ref c11);
            AddFrom(t2, ref c20, ref c21);
            AddFrom(t3, ref c30, ref c31);
            AddFrom(t4, ref c40, ref c41);
            AddFrom(t5, ref c50, ref c51);
            Store(c00, c01, target);
            Store(c10, c11, t1);
            Store(c20, c21, t2);
            Store(c30, c31, t3);
            Store(c40, c41, t4);
            Store(c50, c51, t5);
            a += OutputRows;
            target += OutputRows * stride;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddFrom(float* source, ref V left, ref V right)
    {
        left += V.Load(source);
        right += V.Load(source + V.Width);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (V Left, V Right) Load(float* source) => (V.Load(source), V.Load(source + V.Width));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(V left, V right, float* target)
    {
        V.Store(left, target);
        V.Store(right, target + V.Width);
    }
}
