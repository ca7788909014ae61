using System.Reflection;
using ILGPU;

namespace AutoencoderGpu.Kernels.Instructions;

/// <summary>What a kernel is to the others of a step.</summary>
public enum KernelRole
{
    /// <summary>The next one may need what it writes.</summary>
    Chain,

    /// <summary>
    /// It writes the gradient of weights, or updates weights that the step has read for the last time: nothing but an update needs that.
    /// </summary>
    Gradient,

    /// <summary>It needs gradients.</summary>
    Update,
}

/// <summary>A portable kernel: an ILGPU method (operands, <see cref="Buffers"/>, <see cref="MiniBatch"/>) and how it is launched.</summary>
/// <param name="name">For people and reports.</param>
/// <param name="method">The kernel.</param>
/// <param name="groupSize">Threads a group.</param>
public class PortableKernel(string name, MethodInfo method, int groupSize)
{
    /// <summary>Threads of the largest group that a kernel has; a device with smaller ones cannot run the programs.</summary>
    public const int LargestGroup = 256;

    /// <summary>Bytes of the most memory that the threads of a group share, likewise: both factors of a product, twice, and where they lie.</summary>
    public const int LargestSharedBytes = 37_120;

    /// <summary>For people and reports.</summary>
    public string Name { get; } = name;

    /// <summary>The kernel.</summary>
    public MethodInfo Method { get; } = method;

    /// <summary>Threads a group.</summary>
    public int GroupSize { get; } = groupSize;

    /// <summary>What else of a step waits for it.</summary>
    public KernelRole Role { get; init; }
}

/// <summary>Groups for an instruction and a number of images; none where other kernels of the operation are better for so many, and take them.</summary>
internal delegate Index3D Groups<T>(in T i, int batch);

/// <summary>A kernel as an operation launches it.</summary>
internal interface IKernel<T>
    where T : unmanaged
{
    /// <summary>The kernel.</summary>
    PortableKernel Kernel { get; }

    /// <summary>The kernel with an instruction's operands, as loaded.</summary>
    KernelLaunch LaunchOf(in T operands, IKernelLoader loader);
}

/// <summary>A portable kernel of an operation.</summary>
/// <param name="name">For people and reports.</param>
/// <param name="kernel">The kernel.</param>
/// <param name="groupSize">Threads a group.</param>
/// <param name="grid">Its groups.</param>
internal sealed class PortableKernel<T>(string name, Action<T, Buffers, MiniBatch> kernel, int groupSize, Groups<T> grid)
    : PortableKernel(name, kernel.Method, groupSize), IKernel<T>
    where T : unmanaged
{
    PortableKernel IKernel<T>.Kernel => this;

    /// <summary>Its groups.</summary>
    public Groups<T> Grid { get; } = grid;

    /// <summary>A kernel with a thread an item.</summary>
    public static PortableKernel<T> Elementwise(
        string name, Action<T, Buffers, MiniBatch> kernel, Func<T, int, int> items, KernelRole role = KernelRole.Chain)
    {
        const int size = LargestGroup;
        return new(name, kernel, size, (in i, batch) => new((items(i, batch) + size - 1) / size, 1, 1)) { Role = role };
    }

    /// <summary>The same kernel for another operation, which has its operands, too.</summary>
    /// <param name="operands">This kernel's operands in the other's.</param>
    /// <param name="isWanted">For which instructions and numbers of images.</param>
    public IKernel<TOther> LentTo<TOther>(Func<TOther, T> operands, Func<TOther, int, bool> isWanted)
        where TOther : unmanaged => new Lent<TOther>(this, operands, isWanted);

    public KernelLaunch LaunchOf(in T operands, IKernelLoader loader) => new KernelLaunch<T>(this, loader.Load(this), operands);

    private sealed class Lent<TOther>(PortableKernel<T> kernel, Func<TOther, T> operandsOf, Func<TOther, int, bool> isWanted) : IKernel<TOther>
        where TOther : unmanaged
    {
        public PortableKernel Kernel => kernel;

        public KernelLaunch LaunchOf(in TOther operands, IKernelLoader loader)
        {
            var wanting = operands;
            return new KernelLaunch<T>(kernel, loader.Load(kernel), operandsOf(operands)) { IsWanted = batch => isWanted(wanting, batch) };
        }
    }
}
