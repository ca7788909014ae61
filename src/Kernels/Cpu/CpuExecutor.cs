using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;
using ILGPU;
using ILGPU.IR.Intrinsics;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;

namespace AutoencoderGpu.Kernels.Cpu;

/// <summary>
/// Executes programs on the CPU with the vectorised kernels: one launch of one group of threads runs many steps, every thread
/// takes its share of each instruction (<see cref="WorkRanges"/>), and a barrier stands between instructions. A launch of ILGPU's CPU
/// accelerator costs tens of microseconds, so one an instruction would cost more than the arithmetic.
/// </summary>
public sealed unsafe class CpuExecutor : Executor
{
    private readonly int _threads;
    private readonly SimdWidth _simd;
    private readonly ThreadTeam _team;
    private readonly ConditionalWeakTable<InstructionList, CpuProgram> _programs = [];
    private GCHandle _self; // by which threads find what they share
    private float* _scratch; // what workers share, and then each one's own
    private long _scratchLength; // floats of each one's own
    private readonly Task<Action<AcceleratorStream, KernelConfig, long>> _launch;

    private CpuExecutor(Task<Accelerator> accelerator, int threads, SimdWidth simd)
        : base(accelerator)
    {
        _threads = threads;
        _simd = simd;
        _team = new(threads);
        _self = GCHandle.Alloc(this, GCHandleType.Weak);
        AllocateScratch(Worker.ScratchLength);
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
        program.Check(arenaLength, batchSize);
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
            var compiled = ProgramOf(program);
            var job = new Job(
                new(arena, (byte*)arena, (int*)others, others, arena), default, compiled.First, compiled.Length, 0, 1, batchSize, count, 0);
            using var alone = new ThreadTeam(1);
            Execute(job, WorkerOf(alone, 0));
            GC.KeepAlive(compiled);
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
        var compiled = ProgramOf(program);
        var job = new Job(
            HostBuffersOf(buffers), _self, compiled.First, compiled.Length, firstStep, steps, feed.BatchSize, feed.Count, feed.StepsBefore);
        _launch.Result(Accelerator.DefaultStream, new KernelConfig(1, _threads), (long)&job);
        Accelerator.DefaultStream.Synchronize();
        GC.KeepAlive(compiled);
        _team.ThrowIfFailed();
    }

    /// <inheritdoc/>
    public override Roofline MeasureRoofline() => _simd switch
    {
        SimdWidth.Bits512 => CpuRoofline.Measure<Simd512>(_threads),
        SimdWidth.Bits256 => CpuRoofline.Measure<Simd256>(_threads),
        SimdWidth.Bits128 => CpuRoofline.Measure<Simd128>(_threads),
        _ => CpuRoofline.Measure<SimdScalar>(_threads),
    };

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (!_self.IsAllocated)
            return;
        _launch.Wait();
        base.Dispose();
        _self.Free();
        FreeScratch();
        _team.Dispose();
    }

    /// <summary>The program as threads see it, for which there is enough working memory.</summary>
    private CpuProgram ProgramOf(InstructionList program)
    {
        var compiled = _programs.GetValue(program, list => new(list, _simd));
        if (compiled.ScratchLength > _scratchLength)
        {
            FreeScratch();
            AllocateScratch(compiled.ScratchLength);
        }

        return compiled;
    }

    private void AllocateScratch(long length)
    {
        _scratchLength = (length + Arena.Alignment - 1) / Arena.Alignment * Arena.Alignment;
        _scratch = (float*)NativeMemory.AlignedAlloc((nuint)(Worker.SharedLength + _threads * _scratchLength) * sizeof(float), 64);
    }

    private void FreeScratch()
    {
        NativeMemory.AlignedFree(_scratch);
        _scratch = null;
        _scratchLength = 0;
    }

    private Worker WorkerOf(ThreadTeam team, int thread) => new(thread, team, _scratch, _scratch + Worker.SharedLength + thread * _scratchLength);

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
        var executor = (CpuExecutor)job.Executor.Target!;
        try
        {
            Execute(job, executor.WorkerOf(executor._team, thread));
        }
        catch (Exception e)
        {
            // It would end the process here, and the others would wait for this one.
            executor._team.Fail(e);
        }
    }

    private static void Execute(in Job job, Worker worker)
    {
        for (var step = job.FirstStep; step < job.FirstStep + job.Steps; step++)
        {
            var batch = MiniBatch.Of(step, job.BatchSize, job.Count, job.StepsBefore);
            for (var i = 0; i < job.Length; i++)
            {
                job.Instructions[i].Run(job.Buffers, batch, worker);
                worker.WaitForAll();
            }
        }
    }

    private static HostBuffers HostBuffersOf(in Buffers buffers) => new(
        Address(buffers.Arena), Address(buffers.Images), Address(buffers.Order), Address(buffers.LearningRates), Address(buffers.Losses));

    private static T* Address<T>(ArrayView<T> view)
        where T : unmanaged => (T*)Unsafe.AsPointer(ref view[0]);

    /// <summary>What a launch executes; kernels take values only, so they get its address.</summary>
    private readonly struct Job(
        HostBuffers buffers,
        GCHandle executor,
        CpuInstruction* instructions,
        int length,
        int firstStep,
        int steps,
        int batchSize,
        int count,
        int stepsBefore)
    {
        public readonly HostBuffers Buffers = buffers;
        public readonly GCHandle Executor = executor;
        public readonly CpuInstruction* Instructions = instructions;
        public readonly int Length = length;
        public readonly int FirstStep = firstStep;
        public readonly int Steps = steps;
        public readonly int BatchSize = batchSize;
        public readonly int Count = count;
        public readonly int StepsBefore = stepsBefore;
    }
}
