using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Operations;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace AutoencoderGpu.Kernels.Executors;

using Launcher = Action<AcceleratorStream, KernelConfig, Instruction, Buffers, MiniBatch>;

/// <summary>
/// Executes programs with the portable kernels, an asynchronous launch each on one stream: on CUDA, on OpenCL, and on ILGPU's CPU
/// accelerator as a simulator of a GPU. On CUDA many steps at once are replayed from a graph.
/// </summary>
public sealed class LaunchExecutor : Executor
{
    /// <summary>The environment variable that, set to 0, has CUDA launch every kernel by itself, for comparison.</summary>
    public const string GraphsVariable = "AUTOENCODER_CUDA_GRAPHS";

    // Kernels are kept beside their launchers, for ILGPU unloads one that nothing refers to.
    private readonly Dictionary<PortableKernel, (Kernel Kernel, Launcher Launcher)> _kernels = [];
    private readonly ConditionalWeakTable<InstructionList, KernelLaunch[]> _programs = [];
    private StepGraphs? _graphs;

    internal LaunchExecutor(Accelerator accelerator)
        : base(Task.FromResult(accelerator))
    {
        Stream = accelerator.DefaultStream;
        if (accelerator is not CudaAccelerator cuda)
            return;
        // CUDA's default stream cannot be recorded.
        var stream = cuda.CreateStream(StreamFlags.CU_STREAM_NON_BLOCKING);
        Stream = stream;
        if (Environment.GetEnvironmentVariable(GraphsVariable) != "0")
            TryGraphs(() => _graphs = new(stream));
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
    public override bool ReplaysSteps => _graphs is not null;

    private protected override AcceleratorStream Stream { get; }

    private protected override long FreeMemory => Accelerator switch
    {
        CudaAccelerator cuda => cuda.GetFreeMemory(),
        CLAccelerator cl => cl.MemorySize,
        _ => base.FreeMemory,
    };

    /// <inheritdoc/>
    public override void Prepare(InstructionList program) => LaunchesOf(program);

    private protected override void Start(InstructionList program, in Buffers buffers, Feed feed, int firstStep, int steps)
    {
        var launches = LaunchesOf(program);
        var all = buffers;
        int step = firstStep, end = firstStep + steps;
        // Mini-batches of a graph are whole ones, as only the last of an epoch may not be.
        var wholeEnd = Math.Min(end, feed.Count / feed.BatchSize);
        while (_graphs is not null && step + StepGraphs.Length <= wholeEnd)
        {
            if (!_graphs.Has(program, buffers))
            {
                // The first step runs by itself: what the driver loads late, it loads outside of a recording.
                LaunchSteps(launches, buffers, feed, step++, 1);
                TryGraphs(() => _graphs.Record(program, launches, all, feed.BatchSize));
                continue;
            }

            SetOrigin(buffers, step);
            _graphs.Replay(program, buffers);
            step += StepGraphs.Length;
        }

        LaunchSteps(launches, buffers, feed, step, end - step);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _graphs?.Dispose();
        _graphs = null;
        base.Dispose();
    }

    private void LaunchSteps(KernelLaunch[] launches, in Buffers buffers, Feed feed, int firstStep, int steps)
    {
        if (steps == 0)
            return;
        SetOrigin(buffers, firstStep);
        var branch = new LateBranch(Stream);
        for (var i = 0; i < steps; i++)
            KernelLaunch.StartStep(launches, buffers, feed[firstStep + i] with { Step = i }, Stream, branch);
    }

    private void SetOrigin(in Buffers buffers, int step)
    {
        var origin = buffers.Origin;
        if (Stream is not CudaStream stream)
        {
            origin.CopyFromCPU(Stream, [step]);
            return;
        }

        // A copy from memory that is not page-locked would wait for the stream.
        Accelerator.Bind();
        CudaException.ThrowIfFailed(CudaDriver.Fill(origin.LoadEffectiveAddressAsPtr(), (uint)step, 1, stream.StreamPtr));
    }

    /// <summary>Graphs are faster, but nothing depends on them: a driver that refuses them gets a launch a kernel.</summary>
    private void TryGraphs(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is CudaException or DllNotFoundException or EntryPointNotFoundException)
        {
            _graphs?.Dispose();
            _graphs = null;
        }
    }

    private KernelLaunch[] LaunchesOf(InstructionList program) => _programs.GetValue(program, _ =>
    [
        .. from instruction in program.Instructions
           from kernel in Catalog.Of(instruction.Operation).Kernels(instruction)
           select new KernelLaunch(kernel, LauncherOf(kernel), instruction),
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
}
