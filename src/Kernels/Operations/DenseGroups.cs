using AutoencoderGpu.Kernels.Products;
using AutoencoderGpu.Kernels.Simd;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>How the outputs of a dense layer are divided among the CPU's workers, forward and backward alike.</summary>
internal static class DenseGroups
{
    /// <summary>
    /// Into how many groups the outputs are divided at most, of which every worker owns some, forward and backward: the weights of a
    /// layer stay in the caches of the core that updates them. Twelve are shared evenly by two, three, four, six and twelve workers,
    /// and are summed in their order, so that the number of workers changes no bit.
    /// </summary>
    private const int Most = 12;

    /// <summary>Outputs of a group at least, but in a small layer: its part of the inputs' gradient is added up, which takes longer than its sums.</summary>
    private const int LeastOutputs = 32;

    /// <summary>Groups of so many outputs.</summary>
    public static int CountOf(int outputs) => Math.Clamp(outputs / LeastOutputs, 1, Most);

    /// <summary>Groups are of whole tiles of six outputs.</summary>
    public static int FirstOf(int outputs, int group)
    {
        const int rows = MicroKernel<SimdScalar>.MR;
        return Math.Min(outputs, (outputs + rows - 1) / rows * group / CountOf(outputs) * rows);
    }

    /// <summary>Outputs that a group has at most, and one more.</summary>
    public static int MostOf(int outputs) => outputs / CountOf(outputs) + 2 * MicroKernel<SimdScalar>.MR + 1;
}
