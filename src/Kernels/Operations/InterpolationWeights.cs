using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Simd;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// Along one axis of an <see cref="Upsample2x"/>, for each of some targets the sources that it is a weighted sum of. An
/// interpolation in two dimensions is two such sums, down the columns and along the rows.
/// </summary>
internal readonly unsafe struct InterpolationWeights
{
    /// <summary>Sources of a target at most: three taps of a window, each between two inputs, are the most that is asked for.</summary>
    public const int Most = 6;

    /// <summary>Floats of memory that a target needs.</summary>
    public const int Room = 2 * Most + 1;

    private readonly int* _offsets;
    private readonly float* _weights;
    private readonly int* _counts;

    /// <summary>None so far for any target.</summary>
    /// <param name="memory">Room for the sums' terms; moved behind it.</param>
    /// <param name="targets">Targets.</param>
    public InterpolationWeights(ref float* memory, int targets)
    {
        _offsets = (int*)memory;
        _weights = memory + targets * Most;
        _counts = (int*)_weights + targets * Most;
        memory += targets * Room;
        new Span<int>(_counts, targets).Clear();
    }

    /// <summary>Forgets what has been added for a target.</summary>
    public void Clear(int target) => _counts[target] = 0;

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
        var from = _offsets + target * Most;
        var by = _weights + target * Most;
        var count = _counts[target];
        var k = 0;
        for (; k <= length - 4 * V.Width; k += 4 * V.Width)
        {
            V sum0 = default, sum1 = default, sum2 = default, sum3 = default;
            if (bias != null)
            {
                (sum0, sum1) = (V.Load(bias + k), V.Load(bias + k + V.Width));
                (sum2, sum3) = (V.Load(bias + k + 2 * V.Width), V.Load(bias + k + 3 * V.Width));
            }

            for (var term = 0; term < count; term++)
            {
                var at = source + from[term] + k;
                var weight = V.Broadcast(by[term]);
                V.AddProduct(weight, V.Load(at), ref sum0);
                V.AddProduct(weight, V.Load(at + V.Width), ref sum1);
                V.AddProduct(weight, V.Load(at + 2 * V.Width), ref sum2);
                V.AddProduct(weight, V.Load(at + 3 * V.Width), ref sum3);
            }

            V.Store(sum0, result + k);
            V.Store(sum1, result + k + V.Width);
            V.Store(sum2, result + k + 2 * V.Width);
            V.Store(sum3, result + k + 3 * V.Width);
        }

        for (; k <= length - 2 * V.Width; k += 2 * V.Width)
        {
            V sum0 = default, sum1 = default;
            if (bias != null)
                (sum0, sum1) = (V.Load(bias + k), V.Load(bias + k + V.Width));
            for (var term = 0; term < count; term++)
            {
                var at = source + from[term] + k;
                var weight = V.Broadcast(by[term]);
                sum0 = V.MultiplyAdd(weight, V.Load(at), sum0);
                sum1 = V.MultiplyAdd(weight, V.Load(at + V.Width), sum1);
            }

            V.Store(sum0, result + k);
            V.Store(sum1, result + k + V.Width);
        }

        while (k < length)
        {
            // The last vector may overlap the one before, since results are not sources.
            if (length >= V.Width)
            {
                k = Math.Min(k, length - V.Width);
                V sum = bias == null ? default : V.Load(bias + k);
                for (var term = 0; term < count; term++)
                    sum = V.MultiplyAdd(V.Broadcast(by[term]), V.Load(source + from[term] + k), sum);
                V.Store(sum, result + k);
                k += V.Width;
            }
            else
            {
                var sum = bias == null ? 0f : bias[k];
                for (var term = 0; term < count; term++)
                    sum = float.MultiplyAddEstimate(by[term], source[from[term] + k], sum);
                result[k++] = sum;
            }
        }
    }

    /// <summary>matrix[source, target] = the weights, for sources that are single floats.</summary>
    /// <param name="matrix">Rows <paramref name="stride"/> floats apart; zeros.</param>
    /// <param name="targets">Targets.</param>
    public void ToMatrix(float* matrix, int targets, int stride)
    {
        for (var target = 0; target < targets; target++)
        {
            for (var term = target * Most; term < target * Most + _counts[target]; term++)
                matrix[_offsets[term] * stride + target] += _weights[term];
        }
    }

    private void Add(int target, int offset, float weight)
    {
        var index = target * Most + _counts[target]++;
        _offsets[index] = offset;
        _weights[index] = weight;
    }
}
