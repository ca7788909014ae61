using ILGPU.Runtime.Cuda;

namespace AutoencoderGpu.Kernels.Executors;

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
    private readonly Dictionary<(InstructionList Program, Buffers Buffers), nint> _executables = [];

    /// <param name="stream">On which graphs run.</param>
    public StepGraphs(CudaStream stream)
    {
        _accelerator = (CudaAccelerator)stream.Accelerator;
        _stream = stream;
        _branch = _accelerator.CreateStream(StreamFlags.CU_STREAM_NON_BLOCKING);
        _accelerator.Bind();
        Check(CudaDriver.CreateEvent(out _fork, CudaDriver.WithoutTiming));
        Check(CudaDriver.CreateEvent(out _join, CudaDriver.WithoutTiming));
    }

    /// <summary>Whether steps of this program over these buffers have been recorded.</summary>
    public bool Has(InstructionList program, in Buffers buffers) => _executables.ContainsKey((program, buffers));

    /// <summary>Records <see cref="Length"/> steps of whole mini-batches.</summary>
    /// <exception cref="CudaException">The driver refuses; nothing has been run.</exception>
    public void Record(InstructionList program, KernelLaunch[] launches, in Buffers buffers, int batchSize)
    {
        if (_executables.Count == Most)
            DestroyExecutables();
        var graph = Capture(launches, buffers, batchSize);
        try
        {
            Check(CudaDriver.Instantiate(out var executable, graph, 0));
            _executables.Add((program, buffers), executable);
        }
        finally
        {
            _ = CudaDriver.DestroyGraph(graph);
        }
    }

    /// <summary>Starts the recorded steps.</summary>
    public void Replay(InstructionList program, in Buffers buffers)
    {
        _accelerator.Bind();
        Check(CudaDriver.Launch(_executables[(program, buffers)], _stream.StreamPtr));
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

    private void DestroyExecutables()
    {
        _stream.Synchronize();
        foreach (var executable in _executables.Values)
            _ = CudaDriver.DestroyExecutable(executable);
        _executables.Clear();
    }

    private static void Check(CudaError error) => CudaException.ThrowIfFailed(error);

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
