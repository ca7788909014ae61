using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>The sum of one value from every thread of a group, by halving in shared memory: the same order on every device.</summary>
internal static class GroupSum
{
    /// <summary>Threads of a group that sums, a power of two.</summary>
    public const int GroupSize = 256;

    /// <summary>The sum, for thread 0; all threads of the group must take part.</summary>
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
}
