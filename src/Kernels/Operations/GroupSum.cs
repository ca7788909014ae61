using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>Sums over the threads of a group, by way of shared memory: in the same order on every device.</summary>
internal static class GroupSum
{
    /// <summary>Threads of a group that sums, a power of two.</summary>
    public const int GroupSize = 256;

    /// <summary>The sum of one value from every thread, by halving, for thread 0; all threads of the group must take part.</summary>
    public static float Of(float value)
    {
        var sums = SharedMemory.Allocate<float>(GroupSize);
        var thread = Group.IdxX;
        sums[thread] = value;
        Group.Barrier();
        for (var half = GroupSize / 2; half > 0; half /= 2)
        {
            if (thread < half)
                sums[thread] += sums[thread + half];
            Group.Barrier();
        }

        return sums[0];
    }

    /// <summary>
    /// Several sums of many terms: thread t gets the t-th. Eight threads a sum add what lies apart, and one what they found.
    /// </summary>
    /// <param name="terms">(sums, stride) in shared memory, as each thread has just written its own; overwritten.</param>
    /// <param name="sums">At most 32; other threads get anything.</param>
    /// <param name="count">Terms of a sum, a multiple of 128.</param>
    /// <param name="stride">Floats from a sum's first term to the next one's, a multiple of 4.</param>
    public static float Of(ArrayView<Float4> terms, int sums, int count, int stride)
    {
        const int lanes = GroupSize / 32;
        Group.Barrier();
        int sum = Group.IdxX / lanes, lane = Group.IdxX & (lanes - 1);
        Float4 total = default;
        if (sum < sums)
        {
            var own = terms.SubView(sum * (stride / 4));
            // Four reads at once, since each takes longer than all the additions.
            for (var j = lane; j < count / 4; j += 4 * lanes)
                total = total + own[j] + (own[j + lanes] + (own[j + 2 * lanes] + own[j + 3 * lanes]));
        }

        Group.Barrier();
        terms.Cast<float>()[Group.IdxX] = total.Sum;
        Group.Barrier();
        var first = 2 * (Group.IdxX & 31);
        return terms[first].Sum + terms[first + 1].Sum;
    }
}
