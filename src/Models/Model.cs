using AutoencoderGpu.Kernels.Executors;

namespace AutoencoderGpu.Models;

/// <summary>A network with parameters of its own on an executor.</summary>
public sealed class Model : IDisposable
{
    private readonly Executor _executor;
    private readonly CompiledNetwork _compiled;
    private readonly Arena _arena;

    /// <summary>Compiles the network and makes its arena; all parameters are 0.</summary>
    /// <param name="executor">Must outlive the model.</param>
    /// <param name="network">What is trained.</param>
    /// <param name="batchSize">Images of a mini-batch; feeds must have the same.</param>
    /// <param name="maximalGradientNorm">The norm at which gradients are clipped, 0 for not.</param>
    /// <exception cref="AcceleratorException">The accelerator has no room for it.</exception>
    public Model(Executor executor, Network network, int batchSize, float maximalGradientNorm = 0)
    {
        _executor = executor;
        Network = network;
        BatchSize = batchSize;
        _compiled = Compiler.Compile(network, new(batchSize, maximalGradientNorm, executor.GradientSplits));
        executor.Prepare(_compiled.Training, _compiled.ArenaLength, batchSize);
        executor.Prepare(_compiled.Evaluation, _compiled.ArenaLength, batchSize);
        _arena = CreateArena();
    }

    /// <summary>The network.</summary>
    public Network Network { get; }

    /// <summary>Images of a mini-batch, at most.</summary>
    public int BatchSize { get; }

    /// <summary>The tensors, in the order of the layers.</summary>
    public IReadOnlyList<Parameter> Parameters => _compiled.Parameters;

    /// <summary>The network as instructions.</summary>
    public CompiledNetwork Compiled => _compiled;

    /// <summary>Sets PyTorch's default initial values: weights and biases uniform in ±1/√fan-in.</summary>
    public void Initialise(ulong seed)
    {
        var random = RandomNumbers.ForInitialValues(seed);
        foreach (var parameter in Parameters)
        {
            var bound = 1 / Math.Sqrt(parameter.FanIn);
            var values = new float[parameter.Count];
            for (var i = 0; i < values.Length; i++)
                values[i] = (float)random.Uniform(-bound, bound);
            Write(parameter, values);
        }
    }

    /// <summary>A tensor's values in PyTorch's layout.</summary>
    public float[] Read(Parameter parameter)
    {
        var values = new float[parameter.Count];
        _arena.Read(parameter.Offset, values);
        return parameter.FromArena(values);
    }

    /// <summary>Sets a tensor from values in PyTorch's layout.</summary>
    public void Write(Parameter parameter, ReadOnlySpan<float> values) =>
        _arena.Write(parameter.Offset, parameter.ToArena(values));

    /// <summary>Starts training steps; their losses are in the feed once they have run.</summary>
    public void Train(Feed feed, int firstStep, int steps) => Run(_compiled.Training, feed, firstStep, steps);

    /// <summary>Starts forward passes with losses.</summary>
    public void Evaluate(Feed feed, int firstStep, int steps) => Run(_compiled.Evaluation, feed, firstStep, steps);

    /// <summary>The reconstructions of the images of one mini-batch, (B, 784) in 0 to 1.</summary>
    public float[][] Reconstruct(Feed feed, int step)
    {
        Evaluate(feed, step, 1);
        return [.. Enumerable.Range(0, feed[step].Count).Select(image => _arena.ReadImage(_compiled.Output, image))];
    }

    /// <summary>Starts any program over the model's arena.</summary>
    public void Run(InstructionList program, Feed feed, int firstStep, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(feed.BatchSize, BatchSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstStep + steps, feed.Steps);
        if (steps > 0)
            _executor.Run(program, _arena, feed, firstStep, steps);
    }

    /// <inheritdoc/>
    public void Dispose() => _arena.Dispose();

    private Arena CreateArena()
    {
        try
        {
            return _executor.CreateArena(_compiled.ArenaLength);
        }
        catch (Exception e) when (AcceleratorErrors.IsOutOfMemory(e))
        {
            throw new AcceleratorException($"{e.Message}, for {Network.Title} with mini-batches of {BatchSize} images", e) { IsOutOfMemory = true };
        }
    }
}
