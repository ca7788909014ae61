using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace AutoencoderGpu.Kernels.Products;

/// <summary>Rows of a matrix as columns, by squares of four, which every machine with vectors has room for in its registers.</summary>
internal static unsafe class Transposition
{
    /// <summary>target[k, r] = source[r, k].</summary>
    /// <param name="source">(rows, depth), rows <paramref name="sourceStride"/> floats apart.</param>
    /// <param name="rows">Rows beyond, up to <paramref name="width"/>, are taken for the last one.</param>
    /// <param name="target">(depth, width).</param>
    /// <param name="width">Columns of the target, at least <paramref name="rows"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(float* source, nint sourceStride, int rows, int depth, float* target, int width)
    {
        nint whole = Sse.IsSupported || AdvSimd.Arm64.IsSupported ? depth & ~3 : 0;
        var last = rows - 1;
        var r = 0;
        for (; r <= width - 4; r += 4)
        {
            float* row0 = source + Math.Min(r, last) * sourceStride, row1 = source + Math.Min(r + 1, last) * sourceStride;
            float* row2 = source + Math.Min(r + 2, last) * sourceStride, row3 = source + Math.Min(r + 3, last) * sourceStride;
            var at = target + r;
            for (nint k = 0; k < whole; k += 4)
            {
                var (a, b) = Zip(Vector128.Load(row0 + k), Vector128.Load(row2 + k));
                var (c, d) = Zip(Vector128.Load(row1 + k), Vector128.Load(row3 + k));
                (a, c) = Zip(a, c);
                (b, d) = Zip(b, d);
                a.Store(at);
                c.Store(at + width);
                b.Store(at + 2 * width);
                d.Store(at + 3 * width);
                at += 4 * width;
            }

            for (var k = whole; k < depth; k++)
            {
                (at[0], at[1], at[2], at[3]) = (row0[k], row1[k], row2[k], row3[k]);
                at += width;
            }
        }

        for (; r < width; r++)
        {
            for (nint k = 0; k < depth; k++)
                target[k * width + r] = source[Math.Min(r, last) * sourceStride + k];
        }
    }

    /// <summary>a₀, b₀, a₁, b₁ and a₂, b₂, a₃, b₃.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<float> Low, Vector128<float> High) Zip(Vector128<float> a, Vector128<float> b) => Sse.IsSupported
        ? (Sse.UnpackLow(a, b), Sse.UnpackHigh(a, b))
        : (AdvSimd.Arm64.ZipLow(a, b), AdvSimd.Arm64.ZipHigh(a, b));
}
