using System.Runtime.CompilerServices;

namespace AutoencoderGpu.Kernels.Simd;

/// <summary>
/// The register tiles of a dense layer's few images, beside <see cref="Panel{V}"/>: <see cref="Dot"/> forward and <see cref="Sum"/> for
/// the gradient of the inputs. They are of the same make, but images come in fives, which divide a mini-batch of 10.
/// </summary>
/// <remarks>
/// <para>Rows beyond the last are taken for the last one again, here and in the targets: they cost time, but no branch, and
/// write what is written anyway. Columns of two vectors must exist, in memory of the caller's if not in the matrix.</para>
/// <para>Tried, measured, and no faster: fetching the next columns' weights ahead of time (the processor's own guesses do
/// as well), <see cref="Dot"/> unrolled once, and a call a tile or one for a column of them. Slower: sums written out and taken
/// up again for bias and update, and six images a tile, two of twelve computed for nothing.</para>
/// </remarks>
internal static unsafe class DenseTiles<V>
    where V : unmanaged, ISimd<V>
{
    /// <summary>Rows of a tile of <see cref="Dot"/> and <see cref="Sum"/>: images.</summary>
    public const int ImageRows = 5;

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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (V Left, V Right) Load(float* source) => (V.Load(source), V.Load(source + V.Width));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(V left, V right, float* target)
    {
        V.Store(left, target);
        V.Store(right, target + V.Width);
    }
}
