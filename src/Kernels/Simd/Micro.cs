using System.Runtime.CompilerServices;

namespace AutoencoderGpu.Kernels.Simd;

/// <summary>
/// The two register tiles in which the CPU does nearly all of its arithmetic. Both sum over a depth that consists of
/// <c>segments</c> runs of <c>length</c> contiguous or evenly strided positions, so that a dense layer (one run), the rows of a
/// 3×3 window (three runs) and the rows of an image (H runs) are the same loop.
/// </summary>
/// <remarks>
/// An x64 core with AVX2 has 16 vector registers, two FMA units with a latency of four cycles and two loads a cycle: eight
/// independent accumulators are the least that keeps it busy, twelve and the three registers that feed them the most that fit.
/// Tiles at an edge are computed whole: for rows beyond the last the caller passes the last one's offset again, columns beyond
/// the last are read from whatever follows in the arena, which ends in slack for this, and the caller drops both.
/// </remarks>
internal static unsafe class Micro<V>
    where V : unmanaged, ISimd<V>
{
    /// <summary>Rows of a tile of outer products.</summary>
    public const int OuterRows = 6;

    /// <summary>Rows of a tile of dot products.</summary>
    public const int DotRows = 5;

    /// <summary>Columns of outer products.</summary>
    public static int OuterColumns => 2 * V.Width;

    /// <summary>
    /// tile[r, c] = Σ a[rows[r] + s·aSegment + k·aStep] · b[s·bSegment + k·bStep + c], over s below segments and k below length:
    /// 12 FMA for 8 loads.
    /// </summary>
    /// <param name="target">(6, 2 vectors), rows <paramref name="stride"/> floats apart.</param>
    /// <param name="accumulate">Whether the sums are added to the target instead of overwriting it.</param>
    /// <param name="scale">The factor with which they are added.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OuterProducts(
        float* a,
        int* rows,
        int aSegment,
        int aStep,
        float* b,
        int bSegment,
        int bStep,
        int segments,
        int length,
        float* target,
        int stride,
        bool accumulate = false,
        float scale = 1f)
    {
        V c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default;
        V c30 = default, c31 = default, c40 = default, c41 = default, c50 = default, c51 = default;
        for (var s = 0; s < segments; s++)
        {
            float* a0 = a + rows[0], a1 = a + rows[1], a2 = a + rows[2], a3 = a + rows[3], a4 = a + rows[4], a5 = a + rows[5];
            var right = b;
            nint k = 0;
            for (var n = length; n > 0; n--)
            {
                V b0 = V.Load(right), b1 = V.Load(right + V.Width);
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
                left = V.Broadcast(a5[k]);
                V.AddProduct(left, b0, ref c50);
                V.AddProduct(left, b1, ref c51);
                right += bStep;
                k += aStep;
            }

            a += aSegment;
            b += bSegment;
        }

        Finish(c00, c01, target, accumulate, scale);
        Finish(c10, c11, target + stride, accumulate, scale);
        Finish(c20, c21, target + 2 * (nint)stride, accumulate, scale);
        Finish(c30, c31, target + 3 * (nint)stride, accumulate, scale);
        Finish(c40, c41, target + 4 * (nint)stride, accumulate, scale);
        Finish(c50, c51, target + 5 * (nint)stride, accumulate, scale);
    }

    /// <summary>The same for a tile of which only some rows and columns exist.</summary>
    public static void OuterProducts(
        float* a,
        int* rows,
        int aSegment,
        int aStep,
        float* b,
        int bSegment,
        int bStep,
        int segments,
        int length,
        float* target,
        int stride,
        int rowCount,
        int columnCount,
        bool accumulate,
        float scale = 1f)
    {
        if (rowCount == OuterRows && columnCount == OuterColumns)
        {
            OuterProducts(a, rows, aSegment, aStep, b, bSegment, bStep, segments, length, target, stride, accumulate, scale);
            return;
        }

        var tile = stackalloc float[OuterRows * OuterColumns];
        OuterProducts(a, rows, aSegment, aStep, b, bSegment, bStep, segments, length, tile, OuterColumns);
        for (var r = 0; r < rowCount; r++)
        {
            if (accumulate)
                Elements<V>.AddScaled(scale, tile + r * OuterColumns, target + (nint)r * stride, columnCount);
            else
                Elements<V>.Copy(tile + r * OuterColumns, target + (nint)r * stride, columnCount);
        }
    }

    /// <summary>
    /// tile[r, j] = Σ a[rows[r] + s·aSegment + k] · b_j[s·bSegment + k], over s below segments and k below length: 10 FMA for 7
    /// loads.
    /// </summary>
    /// <param name="tile">(5, 2), row-major; overwritten.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void DotProducts(
        float* a, int* rows, int aSegment, float* b0, float* b1, int bSegment, int segments, int length, float* tile)
    {
        V c00 = default, c01 = default, c10 = default, c11 = default, c20 = default;
        V c21 = default, c30 = default, c31 = default, c40 = default, c41 = default;
        var whole = length - length % V.Width;
        for (var s = 0; s < segments; s++)
        {
            float* a0 = a + rows[0], a1 = a + rows[1], a2 = a + rows[2], a3 = a + rows[3], a4 = a + rows[4];
            for (nint k = 0; k < whole; k += V.Width)
            {
                V right0 = V.Load(b0 + k), right1 = V.Load(b1 + k);
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

            a += aSegment;
            b0 += bSegment;
            b1 += bSegment;
        }

        V.StoreSums(c00, c01, c10, c11, tile);
        V.StoreSums(c20, c21, c30, c31, tile + 4);
        tile[8] = V.Sum(c40);
        tile[9] = V.Sum(c41);
        if (whole == length)
            return;

        a -= (nint)segments * aSegment;
        b0 -= (nint)segments * bSegment;
        b1 -= (nint)segments * bSegment;
        for (var s = 0; s < segments; s++)
        {
            for (var k = whole; k < length; k++)
            {
                for (var r = 0; r < DotRows; r++)
                {
                    tile[2 * r] += a[rows[r] + k] * b0[k];
                    tile[2 * r + 1] += a[rows[r] + k] * b1[k];
                }
            }

            a += aSegment;
            b0 += bSegment;
            b1 += bSegment;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(V c0, V c1, float* target, bool accumulate, float scale)
    {
        if (accumulate)
        {
            var factor = V.Broadcast(scale);
            c0 = V.MultiplyAdd(factor, c0, V.Load(target));
            c1 = V.MultiplyAdd(factor, c1, V.Load(target + V.Width));
        }

        V.Store(c0, target);
        V.Store(c1, target + V.Width);
    }
}
