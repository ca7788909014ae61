using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Simd;

namespace AutoencoderGpu.Kernels.Products;

/// <summary>
/// The register tile in which convolutions do their arithmetic on the CPU. It sums over a depth that consists of <c>segments</c>
/// runs of <c>length</c> evenly strided positions, so that a matrix product (one run), the rows of a 3×3 window (three runs) and the
/// rows of an image (H runs) are the same loop. <see cref="Panel{V}"/> and <see cref="DenseTiles{V}"/> are its relatives for plain matrices.
/// </summary>
/// <remarks>
/// An x64 core with AVX2 has 16 vector registers, two FMA units with a latency of four cycles and two loads a cycle: eight
/// independent accumulators are the least that keeps it busy, twelve and the three registers that feed them the most that fit.
/// Tiles at an edge are computed whole: for rows beyond the last the caller passes the last one's offset again, columns beyond
/// the last are read from whatever follows in the arena, which ends in slack for this, and the caller drops both.
/// </remarks>
internal static unsafe class MicroKernel<V>
    where V : unmanaged, ISimd<V>
{
    /// <summary>Rows of a tile of outer products.</summary>
    public const int MR = 6;

    /// <summary>Columns of outer products.</summary>
    public static int NR => 2 * V.Width;

    /// <summary>
    /// tile[r, c] = Σ a[rows[r] + s·aSegment + k·aStep] · b[s·bSegment + k·bStep + c], over s below segments and k below length:
    /// 12 FMA for 8 loads.
    /// </summary>
    /// <param name="target">(6, 2 vectors), rows <paramref name="stride"/> floats apart.</param>
    /// <param name="accumulate">Whether the sums are added to the target instead of overwriting it.</param>
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
        bool accumulate = false)
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

        Finish(c00, c01, target, accumulate);
        Finish(c10, c11, target + stride, accumulate);
        Finish(c20, c21, target + 2 * (nint)stride, accumulate);
        Finish(c30, c31, target + 3 * (nint)stride, accumulate);
        Finish(c40, c41, target + 4 * (nint)stride, accumulate);
        Finish(c50, c51, target + 5 * (nint)stride, accumulate);
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
        bool accumulate)
    {
        if (rowCount == MR && columnCount == NR)
        {
            OuterProducts(a, rows, aSegment, aStep, b, bSegment, bStep, segments, length, target, stride, accumulate);
            return;
        }

        var tile = stackalloc float[MR * NR];
        OuterProducts(a, rows, aSegment, aStep, b, bSegment, bStep, segments, length, tile, NR);
        for (var r = 0; r < rowCount; r++)
        {
            if (accumulate)
                Elementwise<V>.Add(tile + r * NR, target + (nint)r * stride, columnCount);
            else
                Elementwise<V>.Copy(tile + r * NR, target + (nint)r * stride, columnCount);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Finish(V c0, V c1, float* target, bool accumulate)
    {
        if (accumulate)
        {
            c0 += V.Load(target);
            c1 += V.Load(target + V.Width);
        }

        V.Store(c0, target);
        V.Store(c1, target + V.Width);
    }
}
