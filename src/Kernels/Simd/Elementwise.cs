namespace AutoencoderGpu.Kernels.Simd;

/// <summary>Element-wise loops over contiguous floats, in whole vectors and then one by one.</summary>
internal static unsafe class Elementwise<V>
    where V : unmanaged, ISimd<V>
{
    /// <summary>target = source.</summary>
    public static void Copy(float* source, float* target, int count)
    {
        var k = 0;
        for (; k <= count - V.Width; k += V.Width)
            V.Store(V.Load(source + k), target + k);
        for (; k < count; k++)
            target[k] = source[k];
    }

    /// <summary>target = scale · source.</summary>
    public static void Scale(float scale, float* source, float* target, int count)
    {
        var k = 0;
        var factor = V.Broadcast(scale);
        for (; k <= count - V.Width; k += V.Width)
            V.Store(factor * V.Load(source + k), target + k);
        for (; k < count; k++)
            target[k] = scale * source[k];
    }

    /// <summary>target += source.</summary>
    public static void Add(float* source, float* target, int count) => AddScaled(1f, source, target, count);

    /// <summary>target += scale · source.</summary>
    public static void AddScaled(float scale, float* source, float* target, int count)
    {
        var k = 0;
        var factor = V.Broadcast(scale);
        for (; k <= count - V.Width; k += V.Width)
            V.Store(V.MultiplyAdd(factor, V.Load(source + k), V.Load(target + k)), target + k);
        for (; k < count; k++)
            target[k] = float.MultiplyAddEstimate(scale, source[k], target[k]);
    }

    /// <summary>Σ x².</summary>
    public static float SumOfSquares(float* x, int count)
    {
        var k = 0;
        V sums = default;
        for (; k <= count - V.Width; k += V.Width)
            sums = V.MultiplyAdd(V.Load(x + k), V.Load(x + k), sums);
        var sum = V.Sum(sums);
        for (; k < count; k++)
            sum += x[k] * x[k];
        return sum;
    }
}
