using System.Runtime.CompilerServices;

namespace AutoencoderGpu.Kernels.Simd;

/// <summary>
/// Products of matrices whose rows and columns fill whole tiles: <see cref="Micro{V}"/>'s tile of 6 rows by 2 vectors, but down a whole
/// panel of two vectors of columns in one call, for depths of a few dozen, at which a call a tile is felt.
/// </summary>
internal static unsafe class Panel<V>
    where V : unmanaged, ISimd<V>
{
    /// <summary>Floats of a row of a panel.</summary>
    public static int Columns => Micro<V>.OuterColumns;

    /// <summary>target[r, c] = Σ a[r, k] · b[k, c] over k below <paramref name="depth"/>, for six rows a block and two vectors of c.</summary>
    /// <param name="a">Rows <paramref name="aRow"/> and depths <paramref name="aStep"/> floats apart.</param>
    /// <param name="b">Depths <paramref name="bStep"/> floats apart, columns contiguous.</param>
    /// <param name="target">Rows <paramref name="stride"/> floats apart.</param>
    /// <param name="blocks">Blocks of six rows.</param>
    /// <param name="accumulate">Whether the sums are added to the target instead of overwriting it.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(
        float* a, nint aRow, nint aStep, float* b, nint bStep, int depth, float* target, nint stride, int blocks, bool accumulate = false)
    {
        for (; blocks > 0; blocks--)
        {
            V c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default;
            V c30 = default, c31 = default, c40 = default, c41 = default, c50 = default, c51 = default;
            float* first = a, fourth = a + 3 * aRow, right = b;
            for (var k = depth; k > 0; k--)
            {
                V b0 = V.Load(right), b1 = V.Load(right + V.Width);
                var left = V.Broadcast(*first);
                V.AddProduct(left, b0, ref c00);
                V.AddProduct(left, b1, ref c01);
                left = V.Broadcast(first[aRow]);
                V.AddProduct(left, b0, ref c10);
                V.AddProduct(left, b1, ref c11);
                left = V.Broadcast(first[2 * aRow]);
                V.AddProduct(left, b0, ref c20);
                V.AddProduct(left, b1, ref c21);
                left = V.Broadcast(*fourth);
                V.AddProduct(left, b0, ref c30);
                V.AddProduct(left, b1, ref c31);
                left = V.Broadcast(fourth[aRow]);
                V.AddProduct(left, b0, ref c40);
                V.AddProduct(left, b1, ref c41);
                left = V.Broadcast(fourth[2 * aRow]);
                V.AddProduct(left, b0, ref c50);
                V.AddProduct(left, b1, ref c51);
                first += aStep;
                fourth += aStep;
                right += bStep;
            }

            float* t1 = target + stride, t2 = t1 + stride, t3 = t2 + stride, t4 = t3 + stride, t5 = t4 + stride;
            if (accumulate)
            {
                AddFrom(target, ref c00, ref c01);
                AddFrom(t1, ref c10, ref c11);
                AddFrom(t2, ref c20, ref c21);
                AddFrom(t3, ref c30, ref c31);
                AddFrom(t4, ref c40, ref c41);
                AddFrom(t5, ref c50, ref c51);
            }

            Store(c00, c01, target);
            Store(c10, c11, t1);
            Store(c20, c21, t2);
            Store(c30, c31, t3);
            Store(c40, c41, t4);
            Store(c50, c51, t5);
            a += 6 * aRow;
            target += 6 * stride;
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddFrom(float* source, ref V left, ref V right)
    {
        left += V.Load(source);
        right += V.Load(source + V.Width);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(V left, V right, float* target)
    {
        V.Store(left, target);
        V.Store(right, target + V.Width);
    }
}
