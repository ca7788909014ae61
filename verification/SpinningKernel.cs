using AutoencoderGpu.Kernels.Instructions;
using ILGPU;

namespace AutoencoderGpu.Verification;

/// <summary>
/// A barrier of all groups, by spinning. No kernel of the program has one; the check of what must survive is tried on it, so that it
/// is known to work on the day when one has.
/// </summary>
internal static class SpinningKernel
{
    public static PortableKernel Entry { get; } = new("Spinning", ((Delegate)Kernel).Method, 256);

    private static void Kernel(ArrayView<int> arrived, ArrayView<int> values)
    {
        values[Grid.IdxX * Group.DimX + Group.IdxX] = Grid.IdxX;
        MemoryFence.DeviceLevel();
        Group.Barrier();
        if (Group.IdxX == 0)
        {
            Atomic.Add(ref arrived[0], 1);
            while (Atomic.CompareExchange(ref arrived[0], -1, -1) < Grid.DimX)
            {
            }
        }

        Group.Barrier();
        values[Grid.IdxX * Group.DimX + Group.IdxX] += values[Group.IdxX];
    }
}
