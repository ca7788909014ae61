using ILGPU;

namespace AutoencoderGpu.Kernels.Products;

/// <summary>Sums over the threads of a group, by way of shared memory: in the same order on every device.</summary>
internal static class GroupSum
{
    /// <summary>Threads of a group that sums.</summary>
    public const int GroupSize = 256;

    /// <summary>The sum of one value from every thread, for each of them; all threads of the group must take part.</summary>
    public static float Of(float value)
    {
        // 256 values and the 32 sums of eight. Halving them would take eight barriers, not two.
        var memory = SharedMemory.Allocate<Float4>(GroupSize / 4 + 8);
        var thread = Group.IdxX;
        memory.Cast<float>()[thread] = value;
        Group.Barrier();
        if (thread < GroupSize / 8)
            memory.Cast<float>()[GroupSize + thread] = (memory[2 * thread] + memory[2 * thread + 1]).Sum;
        Group.Barrier();
        var sums = memory.SubView(GroupSize / 4);
        return (sums[0] + sums[1] + (sums[2] + sums[3]) + (sums[4] + sums[5] + (sums[6] + sums[7]))).Sum;
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
        return (terms[first] + terms[first + 1]).Sum;
    }
}
