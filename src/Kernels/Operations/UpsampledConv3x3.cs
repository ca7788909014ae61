using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Products;
using AutoencoderGpu.Kernels.Simd;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// <see cref="Upsample2x"/> followed by <see cref="Conv3x3"/>, without the upsampled map: what the five operations that this takes have in
/// common. Upsampling mixes pixels and treats channels alike, a tap of a convolution mixes channels and treats pixels alike, so the two commute:
/// y[b, p, q, n] = f(bias[n] + Σ_{r,s} (U z_{r,s})[b, p+r−1, q+s−1, n]), where z_{r,s}[b, i, j, n] = Σ_c x[b, i, j, c] · w[r, s, c, n]
/// and U upsamples, with zeros around. The sums over channels, which are nearly all of the work, run at a quarter of the pixels.
/// </summary>
/// <remarks>
/// x is (B, H, W, Cin), w (3, 3, Cin, Cout), y (B, 2H, 2W, Cout); z are nine maps (B, H, W, Cout), one a tap, at equal distances in the
/// arena. Forward is <see cref="UpsampledConv3x3Project"/>, a matrix product, and <see cref="UpsampledConv3x3Interpolate"/>, the upsampling and the
/// sum over taps. Backward, with g = ∂L/∂(pre-activation):
/// <list type="bullet">
/// <item><see cref="UpsampledConv3x3InterpolateBackward"/>: ∂L/∂z_{r,s}[b, i, j, n] = Σ_{p,q} u(p+r−1, i) · u(q+s−1, j) · g[b, p, q, n].</item>
/// <item><see cref="UpsampledConv3x3BackwardWeights"/>: ∂L/∂w[r, s, c, n] = Σ_{b,i,j} x[b, i, j, c] · ∂L/∂z_{r,s}[b, i, j, n]. The bias's
/// gradient is the sum of ∂L/∂z_{1,1}, since the weights of an upsampled pixel add up to 1.</item>
/// <item><see cref="UpsampledConv3x3BackwardInput"/>: ∂L/∂x[b, i, j, c] = f′(x) · Σ_{r,s,n} w[r, s, c, n] · ∂L/∂z_{r,s}[b, i, j, n].</item>
/// </list>
/// </remarks>
internal static unsafe class UpsampledConv3x3
{
    /// <summary>Taps of a window, each of which has a map.</summary>
    public const int Taps = 9;

    /// <summary>Pixels whose channels and gradients stay in the first-level cache while all tiles of weights' gradients pass.</summary>
    public const int PixelBlock = 96;

    public static void RequireSameSides(FeatureMap input, FeatureMap products) => Shapes.Require(
        input.Height == products.Height && input.Width == products.Width,
        "UpsampledConv3x3", "an input and products of the same height and width", input, products);

    public static void RequireDoubled(FeatureMap products, FeatureMap output) => Shapes.Require(
        output.Height == 2 * products.Height && output.Width == 2 * products.Width && output.Channels == products.Channels,
        "UpsampledConv3x3", "products and an output of twice their height and width", products, output);

    /// <summary>
    /// FLOPs and bytes of nine products of a pixel's channels with (Cin, Cout), the maps on one side being nine.
    /// </summary>
    public static Cost ProductCost(long pixels, long one, long nine) => new(2 * Taps * pixels * one * nine, 4 * (pixels * (one + Taps * nine) + Taps * one * nine));

    /// <summary>Where the first pixel of z has one of its taps' channels, counted (tap, channel).</summary>
    public static int Place(in FeatureMap first, int tapStride, int channel)
    {
        var tap = channel / first.Channels;
        return first.Offset + tap * (tapStride - first.Channels) + channel;
    }

    /// <summary>Offsets of a tile's rows; those beyond the last are the last one again.</summary>
    public static int* Rows<V>(int* rows, int count, int stride)
        where V : unmanaged, ISimd<V>
    {
        for (var r = 0; r < MicroKernel<V>.MR; r++)
            rows[r] = Math.Min(r, count - 1) * stride;
        return rows;
    }

    public static int Blocks(int items, int size) => (items + size - 1) / size;

    /// <summary>Floats for the shares and a row's sums or, with one channel, those of six rows and the matrix.</summary>
    public static long Room<V>(int targets, int channels, long depth, int stride)
        where V : unmanaged, ISimd<V> =>
        InterpolationWeights.Room * (targets + 1L) + (channels == 1 ? depth * stride + MicroKernel<V>.MR * (depth + stride) : depth);

    /// <summary>The shares as a matrix (<paramref name="sources"/>, <paramref name="stride"/>).</summary>
    public static float* Matrix(ref float* memory, InterpolationWeights shares, int sources, int targets, int stride)
    {
        var matrix = memory;
        memory += sources * stride;
        new Span<float>(matrix, sources * stride).Clear();
        shares.ToMatrix(matrix, targets, stride);
        return matrix;
    }
}
