using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Simd;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// Along one axis of an <see cref="Upsample2x"/>, for each of some targets the sources that it is a weighted sum of. An
/// interpolation in two dimensions is two such sums, down the columns and along the rows.
/// </summary>
/// <param name="offsets">Room for <see cref="Most"/> offsets in floats a target.</param>
/// <param name="weights">Room for as many weights.</param>
/// <param name="counts">One a target, all 0.</param>
internal readonly unsafe struct Shares(int* offsets, float* weights, int* counts)
{
    /// <summary>Sources of a target at most: three taps of a window, each between two inputs, are the most that is asked for.</summary>
    public const int Most = 6;

    /// <summary>Forgets what has been added for a target.</summary>
    public void Clear(int target) => counts[target] = 0;

    /// <summary>Adds the one or two inputs that an upsampled position lies between; none if it lies outside.</summary>
    /// <param name="target">To which target.</param>
    /// <param name="interpolation">Bilinear or nearest.</param>
    /// <param name="position">From 0 to 2·<paramref name="inputs"/> − 1 if it lies inside.</param>
    /// <param name="inputs">Inputs along the axis.</param>
    /// <param name="first">Offset of the first input.</param>
    /// <param name="stride">Floats from one input to the next.</param>
    public void AddInputs(int target, Interpolation interpolation, int position, int inputs, int first, int stride)
    {
        if (position < 0 || position >= 2 * inputs)
            return;
        var between = Upsample2x.Position.Of(interpolation, position, inputs);
        Add(target, first + between.First * stride, 1f - between.Weight);
        if (between.Weight != 0f)
            Add(target, first + between.Second * stride, between.Weight);
    }

    /// <summary>Adds the outputs that an input has gone into, each at its upsampled position less a shift; none outside.</summary>
    /// <param name="target">To which target.</param>
    /// <param name="interpolation">Bilinear or nearest.</param>
    /// <param name="input">From 0 to <paramref name="inputs"/> − 1.</param>
    /// <param name="inputs">Inputs along the axis.</param>
    /// <param name="shift">−1, 0 or 1.</param>
    /// <param name="stride">Floats from one output to the next.</param>
    public void AddOutputs(int target, Interpolation interpolation, int input, int inputs, int shift, int stride)
    {
        for (var position = Math.Max(0, 2 * input - 1); position < 2 * input - 1 + Upsample2x.Reach; position++)
        {
            if (position >= 2 * inputs || position < shift || position - shift >= 2 * inputs)
                continue;
            var weight = Upsample2x.Position.Of(interpolation, position, inputs).WeightOf(input);
            if (weight != 0f)
                Add(target, (position - shift) * stride, weight);
        }
    }

    /// <summary>result[k] = f(Σ weight · source[k] [+ bias[k]]).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Sum<V>(int target, float* source, float* result, int length, float* bias = null)
        where V : unmanaged, ISimd<V>
    {
        int* from = offsets + target * Most;
        var by = weights + target * Most;
        var count = counts[target];
        var k = 0;
        for (; k <= length - V.Width; k += V.Width)
        {
            V sum = bias is null ? default : V.Load(bias + k);
            for (var term = 0; term < count; term++)
                sum = V.MultiplyAdd(V.Broadcast(by[term]), V.Load(source + from[term] + k), sum);
            V.Store(sum, result + k);
        }

        for (; k < length; k++)
        {
            var sum = bias is null ? 0f : bias[k];
            for (var term = 0; term < count; term++)
                sum = float.MultiplyAddEstimate(by[term], source[from[term] + k], sum);
            result[k] = sum;
        }
    }

    private void Add(int target, int offset, float weight)
    {
        var index = target * Most + counts[target]++;
        offsets[index] = offset;
        weights[index] = weight;
    }
}
