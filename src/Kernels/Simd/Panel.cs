using System.Runtime.CompilerServices;

namespace AutoencoderGpu.Kernels.Simd;

/// <summary>
/// Products of matrices whose rows and columns fill whole tiles: <see cref="Micro{V}"/>'s tile of 6 rows by 2 vectors, but down a whole
/// panel of two vectors of columns in one call, for depths of a few dozen, at which a call a tile is felt.
/// </summary>
internal static unsafe class Panel<V>
    where V : unmanaged, ISimd<V>
{
    /// <summary>target[r, c] = Σ a[r, k] · b[k, c] over k below <paramref name="depth"/>, for six rows a block and two vectors of c.</summary>
    /// <param name="a">Rows <paramref name="aRow"/> and depths <paramref name="aStep"/> floats apart.</param>
    /// <param name="b">Depths <paramref name="bStep"/> floats apart, columns contiguous.</param>
    /// <param name="target">Rows <paramref name="stride"/> floats apart; overwritten.</param>
    /// <param name="blocks">Blocks of six rows.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(float* a, nint aRow, nint aStep, float* b, nint bStep, int depth, float* target, nint stride, int blocks)
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

            V.Store(c00, target);
            V.Store(c01, target + V.Width);
            V.Store(c10, target + stride);
            V.Store(c11, target + stride + V.Width);
            V.Store(c20, target + 2 * stride);
            V.Store(c21, target + 2 * stride + V.Width);
            V.Store(c30, target + 3 * stride);
            V.Store(c31, target + 3 * stride + V.Width);
            V.Store(c40, target + 4 * stride);
            V.Store(c41, target + 4 * stride + V.Width);
            V.Store(c50, target + 5 * stride);
            V.Store(c51, target + 5 * stride + V.Width);
            a += 6 * aRow;
            target += 6 * stride;
        }
    }
}
