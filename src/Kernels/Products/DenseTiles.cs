using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Simd;

namespace AutoencoderGpu.Kernels.Products;

/// <summary>
/// The register tiles of a dense layer's few images, beside <see cref="Panel{V}"/>: <see cref="Dot"/> forward, of five images, which divide
/// a mini-batch of 10, and <see cref="Backward"/> of ten.
/// </summary>
/// <remarks>
/// <para>Rows of <see cref="Dot"/> beyond the last are taken for the last one again, here and in the targets: they cost time, but no branch,
/// and write what is written anyway.</para>
/// <para>Tried, measured, and no faster: fetching the next weights ahead of time (the processor's own guesses do as well) and
/// <see cref="Dot"/> unrolled once. Slower: six images a tile of it, two of twelve computed for nothing, and, the more so the busier a
/// neighbour on the same core, the gradient of the inputs and the update one after the other, each in tiles of two vectors.</para>
/// </remarks>
internal static unsafe class DenseTiles<V>
    where V : unmanaged, ISimd<V>
{
    /// <summary>Rows of a tile of <see cref="Dot"/>: images.</summary>
    public const int ImageRows = 5;

    /// <summary>Images of <see cref="Backward"/>: their sums take ten of the 16 registers of AVX2, the rest holds what two rows need.</summary>
    public const int Images = 10;

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

    /// <summary>
    /// sums[r, c] = Σ_n gradients[n, r] · w[n, c] and then w[n, c] += factor · Σ_r gradients[n, r] · inputs[r, c], for ten r, a vector
    /// of c and n below rows: a weight is read and written once for both, and a gradient broadcast once. Two rows at a time: 40 FMA
    /// for 32 loads.
    /// </summary>
    /// <param name="gradients">(rows, 10), and a row of zeros behind an odd last one; zeros for images that are not there.</param>
    /// <param name="images">At most 10; up to five, the second five are left out.</param>
    /// <param name="weights">Rows <paramref name="stride"/> floats apart; updated.</param>
    /// <param name="inputs">(10, 1 vector)</param>
    /// <param name="sums">(10, 1 vector); overwritten.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(
        float* gradients, int rows, int images, float* weights, nint stride, float* inputs, float factor, float* sums)
    {
        V c0 = default, c1 = default, c2 = default, c3 = default, c4 = default;
        V c5 = default, c6 = default, c7 = default, c8 = default, c9 = default;
        // Takes the place of a row behind an odd last one. Whatever is in it is multiplied by zeros, so it must be a number.
        var spare = stackalloc float[V.Width];
        V.Store(default, spare);
        for (; rows > 0; rows -= 2)
        {
            var second = rows > 1 ? weights + stride : spare;
            V w0 = V.Load(weights), w1 = V.Load(second), sum0 = default, sum1 = default;
            Step(gradients, inputs, 0, w0, w1, ref c0, ref sum0, ref sum1);
            Step(gradients, inputs, 1, w0, w1, ref c1, ref sum0, ref sum1);
            Step(gradients, inputs, 2, w0, w1, ref c2, ref sum0, ref sum1);
            Step(gradients, inputs, 3, w0, w1, ref c3, ref sum0, ref sum1);
            Step(gradients, inputs, 4, w0, w1, ref c4, ref sum0, ref sum1);
            if (images > Images / 2)
            {
                Step(gradients, inputs, 5, w0, w1, ref c5, ref sum0, ref sum1);
                Step(gradients, inputs, 6, w0, w1, ref c6, ref sum0, ref sum1);
                Step(gradients, inputs, 7, w0, w1, ref c7, ref sum0, ref sum1);
                Step(gradients, inputs, 8, w0, w1, ref c8, ref sum0, ref sum1);
                Step(gradients, inputs, 9, w0, w1, ref c9, ref sum0, ref sum1);
            }

            var scale = V.Broadcast(factor);
            V.AddProduct(scale, sum0, ref w0);
            V.AddProduct(scale, sum1, ref w1);
            V.Store(w0, weights);
            V.Store(w1, second);
            gradients += 2 * Images;
            weights += 2 * stride;
        }

        V.Store(c0, sums);
        V.Store(c1, sums + V.Width);
        V.Store(c2, sums + 2 * V.Width);
        V.Store(c3, sums + 3 * V.Width);
        V.Store(c4, sums + 4 * V.Width);
        V.Store(c5, sums + 5 * V.Width);
        V.Store(c6, sums + 6 * V.Width);
        V.Store(c7, sums + 7 * V.Width);
        V.Store(c8, sums + 8 * V.Width);
        V.Store(c9, sums + 9 * V.Width);
    }

    /// <summary>One image's part of two rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step(float* gradients, float* inputs, int image, V w0, V w1, ref V c, ref V sum0, ref V sum1)
    {
        V left = V.Broadcast(gradients[image]), input = V.Load(inputs + image * V.Width);
        V.AddProduct(left, w0, ref c);
        V.AddProduct(left, input, ref sum0);
        left = V.Broadcast(gradients[Images + image]);
        V.AddProduct(left, w1, ref c);
        V.AddProduct(left, input, ref sum1);
    }
}
