using AutoencoderGpu.Kernels.Instructions;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace AutoencoderGpu.Kernels.Gpu;

/// <summary>
/// Runs of steps that are recorded once as CUDA graphs and then started with a single call each, since at a mini-batch of 10 a kernel
/// takes less time than its launch. The steps of a graph count from <see cref="Buffers.Origin"/>, which is all that differs from one
/// replay to the next.
/// </summary>
/// <remarks>
/// What may run beside the rest of a step is recorded on a stream of its own, and events fork and join the two (CUDA C++ programming
/// guide, "Cross-stream dependencies and events").
/// </remarks>
internal sealed class StepGraphs : IDisposable
{
    /// <summary>Steps of a graph: enough that the gap between two graphs is nothing beside them.</summary>
    public const int Length = 32;

    /// <summary>Graphs at a time: a comparison trains many models, one after the other, each with its own.</summary>
    private const int Most = 8;

    private readonly CudaAccelerator _accelerator;
    private readonly CudaStream _stream;
    private readonly CudaStream _branch;
    private readonly nint _fork, _join;
    private readonly Dictionary<Key, nint> _executables = [];

    /// <param name="stream">On which graphs run.</param>
    public StepGraphs(CudaStream stream)
    {
        _accelerator = (CudaAccelerator)stream.Accelerator;
        _stream = stream;
        _accelerator.Bind();
        _branch = _accelerator.CreateStream(StreamFlags.CU_STREAM_NON_BLOCKING);
        Check(CudaDriver.CreateEvent(out _fork, CudaDriver.WithoutTiming));
        Check(CudaDriver.CreateEvent(out _join, CudaDriver.WithoutTiming));
    }

    /// <summary>Whether these steps have been recorded.</summary>
    public bool Has(in Key key) => _executables.ContainsKey(key);

    /// <summary>Records <see cref="Length"/> steps of whole mini-batches.</summary>
    /// <exception cref="CudaException">The driver refuses; nothing has been run.</exception>
    public void Record(in Key key, KernelLaunch[] launches, in Buffers buffers)
    {
        if (_executables.Count == Most)
            DestroyExecutables();
        var graph = Capture(launches, buffers, key.BatchSize);
        try
        {
            Check(CudaDriver.Instantiate(out var executable, graph, 0));
            _executables.Add(key, executable);
            // Or the first launch would do it, and find out that the device has no room for it.
            Check(CudaDriver.Upload(executable, _stream.StreamPtr));
        }
        finally
        {
            _ = CudaDriver.DestroyGraph(graph);
        }
    }

    /// <summary>Starts the recorded steps.</summary>
    public void Replay(in Key key)
    {
        _accelerator.Bind();
        Check(CudaDriver.Launch(_executables[key], _stream.StreamPtr));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _accelerator.Bind();
        DestroyExecutables();
        _ = CudaDriver.DestroyEvent(_fork);
        _ = CudaDriver.DestroyEvent(_join);
        _branch.Dispose();
    }

    private nint Capture(KernelLaunch[] launches, in Buffers buffers, int batchSize)
    {
        _accelerator.Bind();
        Check(CudaDriver.BeginCapture(_stream.StreamPtr, CudaDriver.RelaxedCapture));
        nint graph;
        try
        {
            var branch = new Branch(this);
            for (var step = 0; step < Length; step++)
                KernelLaunch.StartStep(launches, buffers, new(step, batchSize, batchSize), _stream, branch);
        }
        catch
        {
            // The stream would go on recording.
            if (CudaDriver.EndCapture(_stream.StreamPtr, out graph) == CudaError.CUDA_SUCCESS)
                _ = CudaDriver.DestroyGraph(graph);
            throw;
        }

        Check(CudaDriver.EndCapture(_stream.StreamPtr, out graph));
        return graph;
    }

    /// <summary>The driver frees one that still runs when it has ended.</summary>
    private void DestroyExecutables()
    {
        foreach (var executable in _executables.Values)
            _ = CudaDriver.DestroyExecutable(executable);
        _executables.Clear();
    }

    private static void Check(CudaError error) => CudaException.ThrowIfFailed(error);

    /// <summary>What a graph has been recorded for: a program, and where in the device's memory everything lies.</summary>
    internal readonly record struct Key(
        InstructionList Program, int BatchSize, nint Arena, nint Images, nint Order, nint LearningRates, nint Losses, nint Origin)
    {
        public static Key Of(InstructionList program, in Buffers buffers, int batchSize) => new(
            program,
            batchSize,
            buffers.Arena.LoadEffectiveAddressAsPtr(),
            buffers.Images.LoadEffectiveAddressAsPtr(),
            buffers.Order.LoadEffectiveAddressAsPtr(),
            buffers.LearningRates.LoadEffectiveAddressAsPtr(),
            buffers.Losses.LoadEffectiveAddressAsPtr(),
            buffers.Origin.LoadEffectiveAddressAsPtr());
    }

    /// <summary>A branch of the graph, on a stream of its own.</summary>
    private sealed class Branch(StepGraphs graphs) : IBranch
    {
        private bool _isForked;

        public void Add(KernelLaunch launch, in Buffers buffers, in MiniBatch batch)
        {
            Check(CudaDriver.Record(graphs._fork, graphs._stream.StreamPtr));
            Check(CudaDriver.Wait(graphs._branch.StreamPtr, graphs._fork, 0));
            launch.Start(graphs._branch, buffers, batch);
            _isForked = true;
        }

        public void Join()
        {
            if (!_isForked)
                return;
            Check(CudaDriver.Record(graphs._join, graphs._branch.StreamPtr));
            Check(CudaDriver.Wait(graphs._stream.StreamPtr, graphs._join, 0));
            _isForked = false;
        }
    }
}
