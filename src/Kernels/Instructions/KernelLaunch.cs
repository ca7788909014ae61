using ILGPU;
using ILGPU.Runtime;

namespace AutoencoderGpu.Kernels.Instructions;

/// <summary>Loads portable kernels on an accelerator, each once.</summary>
internal interface IKernelLoader
{
    /// <summary>What launches a kernel.</summary>
    Action<AcceleratorStream, KernelConfig, T, Buffers, MiniBatch> Load<T>(PortableKernel<T> kernel)
        where T : unmanaged;
}

/// <summary>A portable kernel with an instruction's operands, ready to be launched.</summary>
internal sealed class KernelLaunch<T>(
    PortableKernel<T> kernel, Action<AcceleratorStream, KernelConfig, T, Buffers, MiniBatch> launcher, T operands) : KernelLaunch(kernel.Role)
    where T : unmanaged
{
    /// <summary>For which numbers of images; null for all.</summary>
    public Func<int, bool>? IsWanted { get; init; }

    public override void Start(AcceleratorStream stream, in Buffers buffers, in MiniBatch batch)
    {
        var grid = kernel.Grid(operands, batch.Count);
        if (grid != default && IsWanted?.Invoke(batch.Count) != false)
            launcher(stream, new KernelConfig(grid, new Index3D(kernel.GroupSize, 1, 1)), operands, buffers, batch);
    }
}

/// <summary>A portable kernel of a step, ready to be launched.</summary>
/// <param name="role">What else of the step waits for it.</param>
internal abstract class KernelLaunch(KernelRole role)
{
    private KernelRole Role { get; } = role;

    /// <summary>Launches it for a mini-batch, without waiting; nothing where other kernels take one of this size.</summary>
    public abstract void Start(AcceleratorStream stream, in Buffers buffers, in MiniBatch batch);

    /// <summary>Launches the kernels of a step.</summary>
    /// <param name="launches">In the order of the program.</param>
    /// <param name="buffers">Over which they work.</param>
    /// <param name="batch">Counted from the origin.</param>
    /// <param name="stream">Of those that need one another.</param>
    /// <param name="branch">Takes the gradients of weights, of which the rest of the backward pass needs none.</param>
    public static void StartStep(
        KernelLaunch[] launches, in Buffers buffers, in MiniBatch batch, AcceleratorStream stream, IBranch branch)
    {
        foreach (var launch in launches)
        {
            if (launch.Role == KernelRole.Gradient)
            {
                branch.Add(launch, buffers, batch);
                continue;
            }

            if (launch.Role == KernelRole.Update)
                branch.Join();
            launch.Start(stream, buffers, batch);
        }

        branch.Join();
    }
}

/// <summary>Launches that may run beside those that follow, until they are joined.</summary>
internal interface IBranch
{
    /// <summary>A launch that needs what was launched before.</summary>
    void Add(KernelLaunch launch, in Buffers buffers, in MiniBatch batch);

    /// <summary>What is launched from now on needs all that was added.</summary>
    void Join();
}

/// <summary>
/// A branch on the one stream, launched as late as it may be. A graph runs it anywhere between there and its place in the program:
/// that the late end of this gives right results, too, is what tests on other accelerators show of graphs.
/// </summary>
internal sealed class LateBranch(AcceleratorStream stream) : IBranch
{
    private readonly List<(KernelLaunch Launch, Buffers Buffers, MiniBatch Batch)> _launches = [];

    public void Add(KernelLaunch launch, in Buffers buffers, in MiniBatch batch) => _launches.Add((launch, buffers, batch));

    public void Join()
    {
        foreach (var (launch, buffers, batch) in _launches)
            launch.Start(stream, buffers, batch);
        _launches.Clear();
    }
}
