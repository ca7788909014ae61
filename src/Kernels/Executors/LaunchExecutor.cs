using AutoencoderGpu.Kernels.Operations;
using ILGPU;
using ILGPU.Runtime;

namespace AutoencoderGpu.Kernels.Executors;

using Launcher = Action<AcceleratorStream, KernelConfig, Instruction, Buffers, MiniBatch>;

/// <summary>
/// Executes programs with the portable kernels, an asynchronous launch each on one stream: on CUDA, on OpenCL, and on ILGPU's CPU
/// accelerator as a simulator of a GPU.
/// </summary>
public sealed class LaunchExecutor : Executor
{
    private readonly Dictionary<PortableKernel, Launcher> _launchers = [];

    internal LaunchExecutor(Context context, Accelerator accelerator)
        : base(context, accelerator)
    {
    }

    /// <inheritdoc/>
    public override AcceleratorKind Kind => Accelerator.AcceleratorType switch
    {
        AcceleratorType.Cuda => AcceleratorKind.Cuda,
        AcceleratorType.OpenCL => AcceleratorKind.OpenCL,
        _ => AcceleratorKind.Simulator,
    };

    /// <inheritdoc/>
    public override int GradientSplits => 8;

    /// <inheritdoc/>
    public override string Description => Accelerator.Name;

    /// <inheritdoc/>
    public override void Run(InstructionList program, Arena arena, Feed feed, int firstStep, int steps)
    {
        var buffers = feed.With(arena);
        for (var step = firstStep; step < firstStep + steps; step++)
        {
            var batch = feed[step];
            foreach (ref readonly var instruction in program.Span)
            {
                foreach (var kernel in Catalog.Of(instruction.Operation).Kernels(instruction))
                {
                    var config = new KernelConfig(kernel.Grid(instruction, batch.Count), new Index3D(kernel.GroupSize, 1, 1));
                    LauncherOf(kernel)(Accelerator.DefaultStream, config, instruction, buffers, batch);
                }
            }
        }
    }

    private Launcher LauncherOf(PortableKernel kernel)
    {
        if (_launchers.TryGetValue(kernel, out var launcher))
            return launcher;
        launcher = Accelerator.LoadKernel<Launcher>(kernel.Method);
        _launchers.Add(kernel, launcher);
        return launcher;
    }
}
