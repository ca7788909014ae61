using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Simd;

namespace AutoencoderGpu.Kernels.Products;

/// <summary>
/// Products of plain matrices: <see cref="MicroKernel{V}"/>'s tile of 6 rows by 2 vectors, but down a whole panel of two vectors of columns
/// in one call, for depths of a few dozen, at which a call a tile is felt.
/// </summary>
/// <remarks>
/// Two positions of the depth a round: alone on its core a tile is as fast with one, but beside a neighbour on the same core, with whom it
/// shares the instructions that the core can take, a tenth slower.
/// </remarks>
internal static unsafe class Panel<V>
    where V : unmanaged, ISimd<V>
{
    /// <summary>Floats of a row of a panel.</summary>
    public static int Columns => MicroKernel<V>.NR;

    /// <summary>target[r, c] = Σ a[r, k] · b[k, c] over k below <paramref name="depth"/>, for six rows a block and two vectors of c.</summary>
    /// <param name="a">Rows <paramref name="aRow"/> and depths <paramref name="aStep"/> floats apart, of which one is 1.</param>
    /// <param name="b">Depths <paramref name="bStep"/> floats apart, columns contiguous.</param>
    /// <param name="target">Rows <paramref name="stride"/> floats apart.</param>
    /// <param name="blocks">Blocks of six rows.</param>
    /// <param name="accumulate">Whether the sums are added to the target instead of overwriting it.</param>
    public static void Multiply(
        float* a, nint aRow, nint aStep, float* b, nint bStep, int depth, float* target, nint stride, int blocks, bool accumulate = false)
    {
        if (aStep == 1)
            Multiply<ContiguousDepths>(a, aRow, 1, b, bStep, depth, target, stride, blocks, accumulate);
        else
            Multiply<ContiguousRows>(a, 1, aStep, b, bStep, depth, target, stride, blocks, accumulate);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply<TLayout>(
        float* a, nint aRow, nint aStep, float* b, nint bStep, int depth, float* target, nint stride, int blocks, bool accumulate)
        where TLayout : struct, ILayout
    {
        for (; blocks > 0; blocks--)
        {
            V c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default;
            V c30 = default, c31 = default, c40 = default, c41 = default, c50 = default, c51 = default;
            float* first = a, fourth = a + 3 * aRow, right = b;
            var k = depth;
            for (; k > 1; k -= 2)
            {
                Step<TLayout>(
                    first, fourth, aRow, 0, right,
                    ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
                if (TLayout.HasContiguousDepths)
                {
                    Step<TLayout>(
                        first, fourth, aRow, 1, right + bStep,
                        ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
                    first += 2;
                    fourth += 2;
                }
                else
                {
                    first += aStep;
                    Step<TLayout>(
                        first, first, aRow, 0, right + bStep,
                        ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
                    first += aStep;
                }

                right += 2 * bStep;
            }

            if (k > 0)
                Step<TLayout>(
                    first, fourth, aRow, 0, right,
                    ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
            MicroKernel<V>.Finish(c00, c01, target, accumulate);
            MicroKernel<V>.Finish(c10, c11, target + stride, accumulate);
            MicroKernel<V>.Finish(c20, c21, target + 2 * stride, accumulate);
            MicroKernel<V>.Finish(c30, c31, target + 3 * stride, accumulate);
            MicroKernel<V>.Finish(c40, c41, target + 4 * stride, accumulate);
            MicroKernel<V>.Finish(c50, c51, target + 5 * stride, accumulate);
            a += 6 * aRow;
            target += 6 * stride;
        }
    }

    /// <summary>What a position of the depth adds to a tile.</summary>
    /// <param name="first">The first row.</param>
    /// <param name="fourth">The fourth row, where rows are not contiguous.</param>
    /// <param name="at">Floats from there to the position.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<TLayout>(
        float* first, float* fourth, nint aRow, int at, float* right, ref V c00, ref V c01, ref V c10, ref V c11, ref V c20, ref V c21,
        ref V c30, ref V c31, ref V c40, ref V c41, ref V c50, ref V c51)
        where TLayout : struct, ILayout
    {
        V b0 = V.Load(right), b1 = V.Load(right + V.Width);
        var left = V.Broadcast(first[at]);
        V.AddProduct(left, b0, ref c00);
        V.AddProduct(left, b1, ref c01);
        left = V.Broadcast(TLayout.HasContiguousDepths ? first[aRow + at] : first[1]);
        V.AddProduct(left, b0, ref c10);
        V.AddProduct(left, b1, ref c11);
        left = V.Broadcast(TLayout.HasContiguousDepths ? first[2 * aRow + at] : first[2]);
        V.AddProduct(left, b0, ref c20);
        V.AddProduct(left, b1, ref c21);
        left = V.Broadcast(TLayout.HasContiguousDepths ? fourth[at] : first[3]);
        V.AddProduct(left, b0, ref c30);
        V.AddProduct(left, b1, ref c31);
        left = V.Broadcast(TLayout.HasContiguousDepths ? fourth[aRow + at] : first[4]);
        V.AddProduct(left, b0, ref c40);
        V.AddProduct(left, b1, ref c41);
        left = V.Broadcast(TLayout.HasContiguousDepths ? fourth[2 * aRow + at] : first[5]);
        V.AddProduct(left, b0, ref c50);
        V.AddProduct(left, b1, ref c51);
    }

    /// <summary>The same for any number of rows, and up to two vectors of columns.</summary>
    /// <param name="rowCount">Rows that exist; none beyond is read or written.</param>
    /// <param name="columnCount">Columns that exist; those beyond may be read, but are not written.</param>
    public static void Multiply(
        float* a, int aRow, int aStep, float* b, int bStep, int depth, float* target, int stride, int rowCount, int columnCount, bool accumulate)
    {
        var blocks = columnCount == Columns ? rowCount / MicroKernel<V>.MR : 0;
        Multiply(a, aRow, aStep, b, bStep, depth, target, stride, blocks, accumulate);
        var row = blocks * MicroKernel<V>.MR;
        if (columnCount == Columns && (rowCount - row) % 2 == 0)
        {
            for (; row < rowCount; row += 2)
                MultiplyTwoRows(a + (nint)row * aRow, aRow, aStep, b, bStep, depth, target + (nint)row * stride, stride, accumulate);
            return;
        }

        var rows = stackalloc int[MicroKernel<V>.MR];
        for (; row < rowCount; row += MicroKernel<V>.MR)
        {
            var count = Math.Min(MicroKernel<V>.MR, rowCount - row);
            for (var r = 0; r < MicroKernel<V>.MR; r++)
                rows[r] = (row + Math.Min(r, count - 1)) * aRow;
            MicroKernel<V>.OuterProducts(
                a, rows, 0, aStep, b, 0, bStep, 1, depth, target + (nint)row * stride, stride, count, columnCount, accumulate);
        }
    }

    /// <summary>panel[k, c] = scale · source[k, c] for two vectors of c.</summary>
    /// <param name="source">Rows <paramref name="stride"/> floats apart.</param>
    /// <param name="depth">Rows.</param>
    /// <param name="panel">(depth, 2 vectors), contiguous.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack(float scale, float* source, nint stride, int depth, float* panel)
    {
        var factor = V.Broadcast(scale);
        for (; depth > 0; depth--)
        {
            V.Store(factor * V.Load(source), panel);
            V.Store(factor * V.Load(source + V.Width), panel + V.Width);
            source += stride;
            panel += 2 * V.Width;
        }
    }

    /// <summary>Two rows have four accumulators, too few for the latency of an addition: even and odd depths are summed apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyTwoRows(
        float* a, nint aRow, nint aStep, float* b, nint bStep, int depth, float* target, nint stride, bool accumulate)
    {
        V c00 = default, c01 = default, c10 = default, c11 = default, d00 = default, d01 = default, d10 = default, d11 = default;
        for (; depth > 1; depth -= 2)
        {
            V b0 = V.Load(b), b1 = V.Load(b + V.Width);
            var left = V.Broadcast(*a);
            V.AddProduct(left, b0, ref c00);
            V.AddProduct(left, b1, ref c01);
            left = V.Broadcast(a[aRow]);
            V.AddProduct(left, b0, ref c10);
            V.AddProduct(left, b1, ref c11);
            a += aStep;
            b += bStep;
            b0 = V.Load(b);
            b1 = V.Load(b + V.Width);
            left = V.Broadcast(*a);
            V.AddProduct(left, b0, ref d00);
            V.AddProduct(left, b1, ref d01);
            left = V.Broadcast(a[aRow]);
            V.AddProduct(left, b0, ref d10);
            V.AddProduct(left, b1, ref d11);
            a += aStep;
            b += bStep;
        }

        if (depth == 1)
        {
            V b0 = V.Load(b), b1 = V.Load(b + V.Width);
            V.AddProduct(V.Broadcast(*a), b0, ref c00);
            V.AddProduct(V.Broadcast(*a), b1, ref c01);
            V.AddProduct(V.Broadcast(a[aRow]), b0, ref c10);
            V.AddProduct(V.Broadcast(a[aRow]), b1, ref c11);
        }

        MicroKernel<V>.Finish(c00 + d00, c01 + d01, target, accumulate);
        MicroKernel<V>.Finish(c10 + d10, c11 + d11, target + stride, accumulate);
    }

    /// <summary>What is known of the left matrix when the loop is compiled, so that addresses need few instructions of their own.</summary>
    private interface ILayout
    {
        static abstract bool HasContiguousDepths { get; }
    }

    private readonly struct ContiguousDepths : ILayout
    {
        public static bool HasContiguousDepths => true;
    }

    private readonly struct ContiguousRows : ILayout
    {
        public static bool HasContiguousDepths => false;
    }
}
