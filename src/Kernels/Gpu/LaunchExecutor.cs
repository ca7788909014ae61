using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Instructions;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace AutoencoderGpu.Kernels.Gpu;

/// <summary>
/// Executes programs with the portable kernels, an asynchronous launch each on one stream: on CUDA, on OpenCL, and on ILGPU's CPU
/// accelerator as a simulator of a GPU. On CUDA many steps at once are replayed from a graph.
/// </summary>
public sealed class LaunchExecutor : Executor, IKernelLoader
{
    /// <summary>The environment variable that, set to 0, has CUDA launch every kernel by itself, for comparison.</summary>
    public const string GraphsVariable = "AUTOENCODER_CUDA_GRAPHS";

    // Kernels are kept beside their launchers, for ILGPU unloads one that nothing refers to.
    private readonly Dictionary<PortableKernel, (Kernel Kernel, Delegate Launcher)> _kernels = [];
    private readonly ConditionalWeakTable<InstructionList, KernelLaunch[]> _programs = [];
    private bool _mayReplay;
    private StepGraphs? _graphs;

    internal LaunchExecutor(Accelerator accelerator)
        : base(Task.FromResult(accelerator))
    {
        Stream = accelerator.DefaultStream;
        if (accelerator is not CudaAccelerator cuda)
            return;
        // CUDA's default stream cannot be recorded.
        Stream = cuda.CreateStream(StreamFlags.CU_STREAM_NON_BLOCKING);
        _mayReplay = Environment.GetEnvironmentVariable(GraphsVariable) != "0";
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
    public override int StepsPerLaunch => _graphs is null ? 1 : StepGraphs.Length;

    private protected override AcceleratorStream Stream { get; }

    private protected override long FreeMemory => Accelerator switch
    {
        CudaAccelerator cuda => WithoutReserve(cuda.GetFreeMemory()),
        CLAccelerator cl => cl.MemorySize,
        _ => base.FreeMemory,
    };

    /// <inheritdoc/>
    public override void Prepare(InstructionList program, int arenaLength, int batchSize) => LaunchesOf(program);

    private protected override void Start(InstructionList program, in Buffers buffers, Feed feed, int firstStep, int steps)
    {
        var launches = LaunchesOf(program);
        int step = firstStep, end = firstStep + steps;
        // Mini-batches of a graph are whole ones, as only the last of an epoch may not be.
        var wholeEnd = Math.Min(end, feed.Count / feed.BatchSize);
        while (_mayReplay && step + StepGraphs.Length <= wholeEnd)
        {
            var key = StepGraphs.Key.Of(program, buffers, feed.BatchSize);
            if (_graphs?.Has(key) != true)
            {
                // The first step runs by itself: what the driver loads late, it loads outside of a recording.
                LaunchSteps(launches, buffers, feed, step++, 1);
                Record(key, launches, buffers);
                continue;
            }

            SetOrigin(buffers, feed, step);
            _graphs.Replay(key);
            step += StepGraphs.Length;
        }

        LaunchSteps(launches, buffers, feed, step, end - step);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        DropGraphs();
        base.Dispose();
    }

    /// <summary>What programs may take of the memory that is free: kernels are loaded and graphs recorded when they have taken theirs.</summary>
    private static long WithoutReserve(long free) => free - Math.Min(free / 8, 256 << 20);

    private void LaunchSteps(KernelLaunch[] launches, in Buffers buffers, Feed feed, int firstStep, int steps)
    {
        if (steps == 0)
            return;
        SetOrigin(buffers, feed, firstStep);
        var branch = new LateBranch(Stream);
        for (var i = 0; i < steps; i++)
            KernelLaunch.StartStep(launches, buffers, feed[firstStep + i] with { Step = i }, Stream, branch);
    }

    private void SetOrigin(in Buffers buffers, Feed feed, int step)
    {
        var origin = buffers.Origin;
        if (Stream is not CudaStream stream)
        {
            origin.CopyFromCPU(Stream, [step, feed.StepsBefore]);
            return;
        }

        // A copy from memory that is not page-locked would wait for the stream.
        Accelerator.Bind();
        Fill(origin, step);
        Fill(origin.SubView(1, 1), feed.StepsBefore);

        void Fill(ArrayView<int> target, int value) =>
            CudaException.ThrowIfFailed(CudaDriver.Fill(target.LoadEffectiveAddressAsPtr(), (uint)value, 1, stream.StreamPtr));
    }

    /// <summary>Graphs are faster, but nothing depends on them: a driver that refuses them gets a launch a kernel.</summary>
    private void Record(in StepGraphs.Key key, KernelLaunch[] launches, in Buffers buffers)
    {
        try
        {
            _graphs ??= new((CudaStream)Stream);
            _graphs.Record(key, launches, buffers);
        }
        catch (Exception e) when (e is CudaException or DllNotFoundException or EntryPointNotFoundException)
        {
            _mayReplay = false;
            DropGraphs();
            Warn?.Invoke($"the driver refuses CUDA graphs ({e.Message}), so every kernel is launched by itself, which takes longer");
        }
    }

    private void DropGraphs()
    {
        var graphs = _graphs;
        _graphs = null;
        graphs?.Dispose();
    }

    Action<AcceleratorStream, KernelConfig, T, Buffers, MiniBatch> IKernelLoader.Load<T>(PortableKernel<T> kernel)
    {
        if (!_kernels.TryGetValue(kernel, out var known))
        {
            var loaded = Accelerator.LoadKernel(KernelCompiler.Compile(Accelerator.GetBackend(), kernel));
            known = (loaded, loaded.CreateLauncherDelegate<Action<AcceleratorStream, KernelConfig, T, Buffers, MiniBatch>>());
            _kernels.Add(kernel, known);
        }

        return (Action<AcceleratorStream, KernelConfig, T, Buffers, MiniBatch>)known.Launcher;
    }

    private KernelLaunch[] LaunchesOf(InstructionList program) =>
        _programs.GetValue(program, _ => [.. program.Instructions.SelectMany(instruction => instruction.Launches(this))]);
}
