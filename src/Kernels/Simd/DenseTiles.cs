using System.Runtime.CompilerServices;

namespace AutoencoderGpu.Kernels.Simd;

/// <summary>
/// The two register tiles of a dense layer's backward pass, beside <see cref="Micro{V}"/>: their rows are evenly strided, and
/// mini-batches are multiples of five more often than of six.
/// </summary>
internal static unsafe class DenseTiles<V>
    where V : unmanaged, ISimd<V>
{
    /// <summary>Rows of a tile of <see cref="Sum"/>: images.</summary>
    public const int SumRows = 5;

    /// <summary>Rows of a tile of <see cref="Add"/>: outputs.</summary>
    public const int AddRows = 6;

    /// <summary>Columns of both tiles.</summary>
    public static int Columns => 2 * V.Width;

    /// <summary>target[r, c] = bias[c] + Σ_k a[r, k] · b[c, k], over k below depth, two columns at a time: 10 FMA for 7 loads.</summary>
    /// <param name="a">(5, depth); rows from <paramref name="rows"/> on are taken for the last.</param>
    /// <param name="b">(columns, depth).</param>
    /// <param name="target">(5, columns), rows <paramref name="stride"/> floats apart.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dot(float* a, int rows, float* b, int depth, int columns, float* bias, float* target, nint stride)
    {
        nint r1 = Math.Min(1, rows - 1), r2 = Math.Min(2, rows - 1), r3 = Math.Min(3, rows - 1), r4 = Math.Min(4, rows - 1);
        float* a0 = a, a1 = a + r1 * depth, a2 = a + r2 * depth, a3 = a + r3 * depth, a4 = a + r4 * depth;
        nint whole = depth - depth % V.Width;
        var tile = stackalloc float[2 * SumRows + 2];
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
                c00 = V.MultiplyAdd(left, right0, c00);
                c01 = V.MultiplyAdd(left, right1, c01);
                left = V.Load(a1 + k);
                c10 = V.MultiplyAdd(left, right0, c10);
                c11 = V.MultiplyAdd(left, right1, c11);
                left = V.Load(a2 + k);
                c20 = V.MultiplyAdd(left, right0, c20);
                c21 = V.MultiplyAdd(left, right1, c21);
                left = V.Load(a3 + k);
                c30 = V.MultiplyAdd(left, right0, c30);
                c31 = V.MultiplyAdd(left, right1, c31);
                left = V.Load(a4 + k);
                c40 = V.MultiplyAdd(left, right0, c40);
                c41 = V.MultiplyAdd(left, right1, c41);
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

    /// <summary>target[r, c] = Σ_k a[rows[r] + k] · b[k, c], over k below depth: 10 FMA for 7 loads.</summary>
    /// <param name="b">(depth, 2 vectors), rows <paramref name="bStride"/> floats apart.</param>
    /// <param name="target">(5, 2 vectors), rows <paramref name="stride"/> floats apart.</param>
    /// <param name="accumulate">Whether the sums are added to the target instead of overwriting it.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Sum(float* a, int* rows, float* b, nint bStride, int depth, float* target, nint stride, bool accumulate)
    {
        V c00 = default, c01 = default, c10 = default, c11 = default, c20 = default;
        V c21 = default, c30 = default, c31 = default, c40 = default, c41 = default;
        float* a0 = a + rows[0], a1 = a + rows[1], a2 = a + rows[2], a3 = a + rows[3], a4 = a + rows[4];
        if (accumulate)
        {
            (c00, c01) = Load(target);
            (c10, c11) = Load(target + stride);
            (c20, c21) = Load(target + 2 * stride);
            (c30, c31) = Load(target + 3 * stride);
            (c40, c41) = Load(target + 4 * stride);
        }

        for (nint k = 0; k < depth; k++)
        {
            V b0 = V.Load(b), b1 = V.Load(b + V.Width);
            var left = V.Broadcast(a0[k]);
            c00 = V.MultiplyAdd(left, b0, c00);
            c01 = V.MultiplyAdd(left, b1, c01);
            left = V.Broadcast(a1[k]);
            c10 = V.MultiplyAdd(left, b0, c10);
            c11 = V.MultiplyAdd(left, b1, c11);
            left = V.Broadcast(a2[k]);
            c20 = V.MultiplyAdd(left, b0, c20);
            c21 = V.MultiplyAdd(left, b1, c21);
            left = V.Broadcast(a3[k]);
            c30 = V.MultiplyAdd(left, b0, c30);
            c31 = V.MultiplyAdd(left, b1, c31);
            left = V.Broadcast(a4[k]);
            c40 = V.MultiplyAdd(left, b0, c40);
            c41 = V.MultiplyAdd(left, b1, c41);
            b += bStride;
        }

        Store(c00, c01, target);
        Store(c10, c11, target + stride);
        Store(c20, c21, target + 2 * stride);
        Store(c30, c31, target + 3 * stride);
        Store(c40, c41, target + 4 * stride);
    }

    /// <summary>target[r, c] += Σ_k a[k, r] · b[k, c], over k below depth: 12 FMA for 8 loads.</summary>
    /// <param name="a">(depth, 6), rows <paramref name="aStride"/> floats apart.</param>
    /// <param name="b">(depth, 2 vectors), rows <paramref name="bStride"/> floats apart.</param>
    /// <param name="target">(6, 2 vectors), rows <paramref name="stride"/> floats apart.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* a, nint aStride, float* b, nint bStride, int depth, float* target, nint stride)
    {
        V c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default;
        V c30 = default, c31 = default, c40 = default, c41 = default, c50 = default, c51 = default;
        for (; depth > 0; depth--)
        {
            V b0 = V.Load(b), b1 = V.Load(b + V.Width);
            var left = V.Broadcast(a[0]);
            c00 = V.MultiplyAdd(left, b0, c00);
            c01 = V.MultiplyAdd(left, b1, c01);
            left = V.Broadcast(a[1]);
            c10 = V.MultiplyAdd(left, b0, c10);
            c11 = V.MultiplyAdd(left, b1, c11);
            left = V.Broadcast(a[2]);
            c20 = V.MultiplyAdd(left, b0, c20);
            c21 = V.MultiplyAdd(left, b1, c21);
            left = V.Broadcast(a[3]);
            c30 = V.MultiplyAdd(left, b0, c30);
            c31 = V.MultiplyAdd(left, b1, c31);
            left = V.Broadcast(a[4]);
            c40 = V.MultiplyAdd(left, b0, c40);
            c41 = V.MultiplyAdd(left, b1, c41);
            left = V.Broadcast(a[5]);
            c50 = V.MultiplyAdd(left, b0, c50);
            c51 = V.MultiplyAdd(left, b1, c51);
            a += aStride;
            b += bStride;
        }

        AddTo(target, c00, c01);
        AddTo(target + stride, c10, c11);
        AddTo(target + 2 * stride, c20, c21);
        AddTo(target + 3 * stride, c30, c31);
        AddTo(target + 4 * stride, c40, c41);
        AddTo(target + 5 * stride, c50, c51);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTo(float* target, V left, V right)
    {
        V.Store(V.Load(target) + left, target);
        V.Store(V.Load(target + V.Width) + right, target + V.Width);
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
