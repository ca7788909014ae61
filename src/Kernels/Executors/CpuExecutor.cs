using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using AutoencoderGpu.Kernels.Operations;
using AutoencoderGpu.Kernels.Simd;
using ILGPU;
using ILGPU.IR.Intrinsics;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;

namespace AutoencoderGpu.Kernels.Executors;

/// <summary>Vectors that the CPU's kernels use.</summary>
public enum SimdWidth
{
    /// <summary>None.</summary>
    Scalar = 32,

    /// <summary>SSE or Arm64.</summary>
    Bits128 = 128,

    /// <summary>AVX2.</summary>
    Bits256 = 256,

    /// <summary>AVX-512.</summary>
    Bits512 = 512,
}

/// <summary>
/// Executes programs on the CPU with the vectorised kernels: one launch of one group of threads runs many steps, every thread
/// takes its share of each instruction (<see cref="Pieces"/>), and a barrier stands between instructions. A launch of ILGPU's CPU
/// accelerator costs tens of microseconds, so one an instruction would cost more than the arithmetic.
/// </summary>
public sealed unsafe class CpuExecutor : Executor
{
    private readonly int _threads;
    private readonly SimdWidth _simd;
    private readonly Team _team;
    private GCHandle _teamHandle;
    private readonly float* _scratch; // what workers share, and then each one's own
    private readonly Task<Action<AcceleratorStream, KernelConfig, long>> _launch;

    private CpuExecutor(Task<Accelerator> accelerator, int threads, SimdWidth simd)
        : base(accelerator)
    {
        _threads = threads;
        _simd = simd;
        _team = new(threads);
        _teamHandle = GCHandle.Alloc(_team);
        _scratch = (float*)NativeMemory.AlignedAlloc(
            (nuint)(Worker.SharedLength + (long)threads * Worker.ScratchLength) * sizeof(float), 64);
        _launch = accelerator.ContinueWith(opened => opened.Result.LoadKernel<long>(Kernel), TaskScheduler.Default);
    }

    /// <summary>Threads of an executor at most.</summary>
    public const int MaximalThreads = 1024;

    /// <summary>The environment variable that forces a width: 512, 256, 128 or 32 for none.</summary>
    public const string SimdVariable = "AUTOENCODER_SIMD";

    /// <summary>The widest vectors of this machine, or those that the environment names.</summary>
    /// <exception cref="FormatException">The environment names a width that there is not.</exception>
    public static SimdWidth DefaultSimd
    {
        get
        {
            if (Environment.GetEnvironmentVariable(SimdVariable) is { Length: > 0 } text)
            {
                return int.TryParse(text, out var bits) && Enum.IsDefined((SimdWidth)bits)
                    ? (SimdWidth)bits
                    : throw new FormatException($"{SimdVariable} is '{text}'; it takes 512, 256, 128, or 32 for no vectors");
            }

            return Vector512.IsHardwareAccelerated ? SimdWidth.Bits512
                : Vector256.IsHardwareAccelerated ? SimdWidth.Bits256
                : Vector128.IsHardwareAccelerated ? SimdWidth.Bits128
                : SimdWidth.Scalar;
        }
    }

    /// <inheritdoc/>
    public override AcceleratorKind Kind => AcceleratorKind.Cpu;

    /// <inheritdoc/>
    public override int GradientSplits => 1;

    /// <inheritdoc/>
    public override string Description =>
        $"CPU, {_threads} thread{(_threads == 1 ? "" : "s")}, {(_simd == SimdWidth.Scalar ? "no vectors" : $"{(int)_simd}-bit vectors")}";

    /// <summary>An executor on the CPU.</summary>
    /// <param name="threads">From 1 to <see cref="MaximalThreads"/>, whatever the machine has.</param>
    /// <param name="simd">Vectors to use; wider ones than the machine has are emulated, slowly.</param>
    /// <exception cref="ArgumentOutOfRangeException">So many threads, or such vectors, there are not.</exception>
    public static CpuExecutor Create(int threads, SimdWidth simd)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threads, MaximalThreads);
        if (!Enum.IsDefined(simd))
            throw new ArgumentOutOfRangeException(nameof(simd), simd, "There are no such vectors.");
        // ILGPU takes long to set itself up and to translate its first kernel; data can be read in the meantime.
        return new(Task.Run(() => OpenAccelerator(threads)), threads, simd);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// While ILGPU still sets itself up on another core, a step of zeros runs without it: the runtime compiles a method when it is first
    /// called.
    /// </remarks>
    public override void Prepare(InstructionList program, int arenaLength, int batchSize)
    {
        if (_launch.IsCompleted)
            return;
        // All of it zeros, of which the system provides what is touched: the first images' parts of the arena.
        var count = Math.Min(batchSize, 16);
        float* zeros = null;
        try
        {
            zeros = (float*)NativeMemory.AllocZeroed((nuint)arenaLength + Arena.Reserve + (nuint)count, sizeof(float));
            var arena = (float*)(((nint)zeros + 63) & ~63);
            var others = zeros + arenaLength + Arena.Reserve;
            fixed (Instruction* instructions = program.Span)
            {
                var job = new Job(
                    new(arena, (byte*)arena, (int*)others, others, arena), _teamHandle, _scratch, instructions, program.Span.Length,
                    firstStep: 0, steps: 1, batchSize, count, _simd);
                using var alone = new Team(1);
                Execute(job, new Worker(0, alone, _scratch, _scratch + Worker.SharedLength));
            }
        }
        catch (OutOfMemoryException)
        {
            // The arena will not fit either, and is refused in so many words.
        }
        finally
        {
            NativeMemory.Free(zeros);
        }
    }

    private protected override void Start(InstructionList program, in Buffers buffers, Feed feed, int firstStep, int steps)
    {
        fixed (Instruction* instructions = program.Span)
        {
            var job = new Job(
                HostBuffersOf(buffers), _teamHandle, _scratch, instructions, program.Span.Length, firstStep, steps, feed.BatchSize, feed.Count, _simd);
            _launch.Result(Accelerator.DefaultStream, new KernelConfig(1, _threads), (long)&job);
            Accelerator.DefaultStream.Synchronize();
        }
    }

    /// <inheritdoc/>
    public override Roofs MeasureRoofs() => _simd switch
    {
        SimdWidth.Bits512 => Roofs.Measure<Simd512>(_threads),
        SimdWidth.Bits256 => Roofs.Measure<Simd256>(_threads),
        SimdWidth.Bits128 => Roofs.Measure<Simd128>(_threads),
        _ => Roofs.Measure<SimdScalar>(_threads),
    };

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (!_teamHandle.IsAllocated)
            return;
        _launch.Wait();
        base.Dispose();
        _teamHandle.Free();
        NativeMemory.AlignedFree(_scratch);
        _team.Dispose();
    }

    private static Accelerator OpenAccelerator(int threads)
    {
        // ILGPU wants warps of two threads at least, and their number a power of two; a group may use fewer.
        var warps = (int)BitOperations.RoundUpToPowerOf2((uint)(threads + 1) / 2);
        var device = new CPUDevice(numThreadsPerWarp: 2, warps, numMultiprocessors: 1);
        // The one kernel has nothing to optimise, and while a cache is filled, nothing else can be had from the accelerator.
        return device.CreateAccelerator(Context.Create(
            builder => builder.CPU(device).Optimize(OptimizationLevel.O0).Caching(CachingMode.Disabled)));
    }

    /// <summary>Takes the address of the job alone: every type among a kernel's parameters costs time to translate.</summary>
    private static void Kernel(long job) => Execute(job, Group.IdxX);

    /// <summary>ILGPU's front end does not translate intrinsics, so on the CPU accelerator this is any managed method.</summary>
    [IntrinsicImplementation]
    private static void Execute(long jobAddress, int thread)
    {
        ref readonly var job = ref *(Job*)jobAddress;
        var team = (Team)job.Team.Target!;
        Execute(job, new Worker(
            thread, team, job.Scratch, job.Scratch + Worker.SharedLength + (nint)thread * Worker.ScratchLength));
    }

    private static void Execute(in Job job, Worker worker)
    {
        switch (job.Simd)
        {
            case SimdWidth.Bits512: Execute<Simd512>(job, worker); break;
            case SimdWidth.Bits256: Execute<Simd256>(job, worker); break;
            case SimdWidth.Bits128: Execute<Simd128>(job, worker); break;
            default: Execute<SimdScalar>(job, worker); break;
        }
    }

    private static void Execute<V>(in Job job, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        for (var step = job.FirstStep; step < job.FirstStep + job.Steps; step++)
        {
            var batch = Feed.MiniBatchOf(step, job.BatchSize, job.Count);
            for (var i = 0; i < job.Length; i++)
            {
                Execute<V>(job.Instructions[i], job.Buffers, batch, worker);
                worker.WaitForAll();
            }
        }
    }

    private static void Execute<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        switch (i.Operation)
        {
            case Operation.Gather: Gather.Run<V>(i, buffers, batch, worker); break;
            case Operation.DenseForward: Dense.RunForward<V>(i, buffers, batch, worker); break;
            case Operation.DenseBackward: Dense.RunBackward<V>(i, buffers, batch, worker); break;
            case Operation.Conv3x3: Conv3x3.Run<V>(i, buffers, batch, worker); break;
            case Operation.Conv3x3Rotate: Conv3x3.RunRotate(i, buffers, worker); break;
            case Operation.Conv3x3BackwardWeights: Conv3x3.RunBackwardWeights<V>(i, buffers, batch, worker); break;
            case Operation.PooledConv3x3: PooledConv3x3.Run<V>(i, buffers, batch, worker); break;
            case Operation.PooledConv3x3BackwardWeights: PooledConv3x3.RunBackwardWeights<V>(i, buffers, batch, worker); break;
            case Operation.MaxPoolForward: MaxPool2x2.RunForward<V>(i, buffers, batch, worker); break;
            case Operation.MaxPoolBackward: MaxPool2x2.RunBackward<V>(i, buffers, batch, worker); break;
            case Operation.UpsampleForward: Upsample2x.RunForward<V>(i, buffers, batch, worker); break;
            case Operation.UpsampleBackward: Upsample2x.RunBackward<V>(i, buffers, batch, worker); break;
            case Operation.UpsampledConvProject: UpsampledConv3x3.RunProject<V>(i, buffers, batch, worker); break;
            case Operation.UpsampledConvSpread: UpsampledConv3x3.RunSpread<V>(i, buffers, batch, worker); break;
            case Operation.UpsampledConvCollect: UpsampledConv3x3.RunCollect<V>(i, buffers, batch, worker); break;
            case Operation.UpsampledConvBackwardWeights: UpsampledConv3x3.RunBackwardWeights<V>(i, buffers, batch, worker); break;
            case Operation.UpsampledConvBackwardInput: UpsampledConv3x3.RunBackwardInput<V>(i, buffers, batch, worker); break;
            case Operation.MeanSquaredError: MeanSquaredError.Run<V>(i, buffers, batch, worker); break;
            case Operation.GradientNorm: Sgd.RunNorm<V>(i, buffers, worker); break;
            case Operation.SgdUpdate: Sgd.RunUpdate<V>(i, buffers, batch, worker); break;
            default: Environment.FailFast($"No CPU kernel for {i.Operation}."); break;
        }
    }

    private static HostBuffers HostBuffersOf(in Buffers buffers) => new(
        Address(buffers.Arena), Address(buffers.Images), Address(buffers.Order), Address(buffers.LearningRates), Address(buffers.Losses));

    private static T* Address<T>(ArrayView<T> view)
        where T : unmanaged => (T*)Unsafe.AsPointer(ref view[0]);

    /// <summary>What a launch executes; kernels take values only, so they get its address.</summary>
    private readonly struct Job(
        HostBuffers buffers,
        GCHandle team,
        float* scratch,
        Instruction* instructions,
        int length,
        int firstStep,
        int steps,
        int batchSize,
        int count,
        SimdWidth simd)
    {
        public readonly HostBuffers Buffers = buffers;
        public readonly GCHandle Team = team;
        public readonly float* Scratch = scratch;
        public readonly Instruction* Instructions = instructions;
        public readonly int Length = length;
        public readonly int FirstStep = firstStep;
        public readonly int Steps = steps;
        public readonly int BatchSize = batchSize;
        public readonly int Count = count;
        public readonly SimdWidth Simd = simd;
    }
}
