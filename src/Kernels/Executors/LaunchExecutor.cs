using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Operations;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Runtime;

namespace AutoencoderGpu.Kernels.Executors;

using Launcher = Action<AcceleratorStream, KernelConfig, Instruction, Buffers, MiniBatch>;

/// <summary>
/// Executes programs with the portable kernels, an asynchronous launch each on one stream: on CUDA, on OpenCL, and on ILGPU's CPU
/// accelerator as a simulator of a GPU.
/// </summary>
public sealed class LaunchExecutor : Executor
{
    // Kernels are kept beside their launchers, for ILGPU unloads one that nothing refers to.
    private readonly Dictionary<PortableKernel, (Kernel Kernel, Launcher Launcher)> _kernels = [];
    private readonly ConditionalWeakTable<InstructionList, Launch[]> _programs = [];

    internal LaunchExecutor(Accelerator accelerator)
        : base(Task.FromResult(accelerator))
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
    public override void Prepare(InstructionList program) => LaunchesOf(program);

    /// <inheritdoc/>
    public override void Run(InstructionList program, Arena arena, Feed feed, int firstStep, int steps)
    {
        var buffers = feed.With(arena);
        var launches = LaunchesOf(program);
        for (var step = firstStep; step < firstStep + steps; step++)
        {
            var batch = feed[step];
            foreach (var (kernel, launcher, instruction) in launches)
            {
                var grid = kernel.Grid(instruction, batch.Count);
                if (grid == default)
                    continue;
                var config = new KernelConfig(grid, new Index3D(kernel.GroupSize, 1, 1));
                launcher(Accelerator.DefaultStream, config, instruction, buffers, batch);
            }
        }
    }

    private Launch[] LaunchesOf(InstructionList program) => _programs.GetValue(program, _ =>
    [
        .. from instruction in program.Instructions
           from kernel in Catalog.Of(instruction.Operation).Kernels(instruction)
           select new Launch(kernel, LauncherOf(kernel), instruction),
    ]);

    private Launcher LauncherOf(PortableKernel kernel)
    {
        if (_kernels.TryGetValue(kernel, out var known))
            return known.Launcher;
        var loaded = Accelerator.LoadKernel(KernelCompiler.Compile(Accelerator.GetBackend(), kernel));
        var launcher = loaded.CreateLauncherDelegate<Launcher>();
        _kernels.Add(kernel, (loaded, launcher));
        return launcher;
    }

    private sealed record Launch(PortableKernel Kernel, Launcher Launcher, Instruction Instruction);
}
