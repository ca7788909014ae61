using AutoencoderGpu.Kernels.Instructions;
using ILGPU.Runtime;

namespace AutoencoderGpu.Kernels.Executors;

/// <summary>Runs instruction lists on an accelerator. Not safe for use by several threads at once.</summary>
public abstract class Executor : IDisposable
{
    private readonly Task<Accelerator> _accelerator;
    private readonly Lazy<DeviceMemory> _memory;

    /// <param name="accelerator">May still be opening; whatever needs it waits. Its context is disposed of with it.</param>
    private protected Executor(Task<Accelerator> accelerator)
    {
        _accelerator = accelerator;
        _memory = new(() => new(Stream, MemoryLimit ?? FreeMemory, Description));
    }

    /// <summary>
    /// How many partial sums a gradient over all pixels is best split into: 1 where few workers own its rows, more where only many
    /// groups occupy the device.
    /// </summary>
    public abstract int GradientSplits { get; }

    /// <summary>CUDA, OpenCL, the CPU, or the simulator.</summary>
    public abstract AcceleratorKind Kind { get; }

    /// <summary>What runs the programs, for people: a device's name, and on the CPU threads and vectors.</summary>
    public abstract string Description { get; }

    /// <summary>Steps that are recorded once and then replayed together; 1 where every kernel is launched by itself.</summary>
    public virtual int StepsPerLaunch => 1;

    /// <summary>Told in one line of what makes the device slower than it could be.</summary>
    public Action<string>? Warn { get; set; }

    /// <summary>Bytes of the device's memory that may be used; by default all that are free. To be set before anything is created.</summary>
    public long? MemoryLimit { get; set; }

    /// <summary>Orders all work.</summary>
    private protected virtual AcceleratorStream Stream => Accelerator.DefaultStream;

    /// <summary>Bytes of the device's memory that can be had.</summary>
    private protected virtual long FreeMemory => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    internal Accelerator Accelerator => _accelerator.GetAwaiter().GetResult();

    /// <summary>An arena of zeros.</summary>
    /// <param name="length">Floats.</param>
    /// <exception cref="AcceleratorException">The device's memory does not suffice.</exception>
    public Arena CreateArena(int length) => new(_memory.Value, length);

    /// <summary>Puts a data set on the device, or streams it where it does not fit.</summary>
    /// <param name="images">(N, <paramref name="imageSize"/>) bytes; kept, if they are streamed.</param>
    /// <param name="imageSize">Pixels of an image.</param>
    /// <param name="batchSize">Images of a mini-batch.</param>
    /// <exception cref="AcceleratorException">The device's memory does not suffice for two mini-batches.</exception>
    public Feed CreateFeed(ReadOnlyMemory<byte> images, int imageSize, int batchSize) =>
        new(_memory.Value, images, imageSize, batchSize);

    /// <summary>
    /// Starts a program for some steps of an epoch. On a GPU it may still run when this returns; reading losses or the arena waits
    /// for it.
    /// </summary>
    /// <param name="program">What every step executes.</param>
    /// <param name="arena">Over which.</param>
    /// <param name="feed">The images.</param>
    /// <param name="firstStep">Of the epoch, from 0.</param>
    /// <param name="steps">How many; all of them steps of the feed.</param>
    /// <exception cref="ArgumentException">The program does not fit the arena or the images, or there are no such steps; nothing has run.</exception>
    public void Run(InstructionList program, Arena arena, Feed feed, int firstStep, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstStep);
        ArgumentOutOfRangeException.ThrowIfNegative(steps);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(steps, feed.Steps - firstStep);
        program.Check(arena.Length, feed.BatchSize, feed.ImageSize);
        var end = firstStep + steps;
        for (var step = firstStep; step < end;)
        {
            var (buffers, loadedEnd) = feed.Load(arena, step);
            var next = Math.Min(end, loadedEnd);
            Start(program, buffers, feed, step, next - step);
            feed.LoadNext();
            step = next;
        }
    }

    /// <summary>Starts a program for steps whose images are on the device.</summary>
    private protected abstract void Start(InstructionList program, in Buffers buffers, Feed feed, int firstStep, int steps);

    /// <summary>Compiles what a program needs, so that its first step takes no longer than the others.</summary>
    /// <param name="program">What will run.</param>
    /// <param name="arenaLength">Floats of the arena over which it will run.</param>
    /// <param name="batchSize">Images of a mini-batch.</param>
    public virtual void Prepare(InstructionList program, int arenaLength, int batchSize)
    {
    }

    /// <summary>Measures what the device reaches at best; null where there is no measurement for it.</summary>
    public virtual Roofline? MeasureRoofline() => null;

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        var context = Accelerator.Context;
        Accelerator.Dispose();
        context.Dispose();
        GC.SuppressFinalize(this);
    }
}
