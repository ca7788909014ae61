using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Operations;

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
    /// <param name="optimiser">The update rule; plain SGD where none is named.</param>
    /// <param name="trains">Whether it is for training, too; without, it is made sooner and takes less memory.</param>
    /// <exception cref="ArgumentException">The network's layers do not fit together, or a number is out of range.</exception>
    /// <exception cref="AcceleratorException">The accelerator has no room for it.</exception>
    public Model(Executor executor, Network network, int batchSize, float maximalGradientNorm = 0, Optimiser? optimiser = null, bool trains = true)
    {
        _executor = executor;
        Network = network;
        BatchSize = batchSize;
        var options = new CompilerOptions(batchSize, maximalGradientNorm, executor.GradientSplits) { Trains = trains };
        try
        {
            _compiled = Compiler.Compile(network, optimiser is null ? options : options with { Optimiser = optimiser });
        }
        catch (OverflowException e)
        {
            throw NoRoom("an arena has room for 2 147 483 647 floats at most, and more would be needed", e);
        }

        if (trains)
            executor.Prepare(_compiled.Training, _compiled.ArenaLength, batchSize);
        executor.Prepare(_compiled.Evaluation, _compiled.ArenaLength, batchSize);
        _arena = CreateArena();
        foreach (var (offset, values) in _compiled.Constants)
            _arena.Write(offset, values);
    }

    /// <summary>The network.</summary>
    public Network Network { get; }

    /// <summary>Images of a mini-batch, at most.</summary>
    public int BatchSize { get; }

    /// <summary>The tensors, in the order of the layers.</summary>
    public IReadOnlyList<Parameter> Parameters => _compiled.Parameters;

    /// <summary>What the optimiser remembers of each parameter, as tensors like it; zeros before the first step.</summary>
    public IReadOnlyList<Parameter> State => _compiled.State;

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
    /// <exception cref="InvalidOperationException">The model is not made for training.</exception>
    public void Train(Feed feed, int firstStep, int steps)
    {
        if (_compiled.Training.Instructions.Count == 0)
            throw new InvalidOperationException($"This model of {Network.Title} was made with trains: false.");
        Run(_compiled.Training, feed, firstStep, steps);
    }

    /// <summary>Starts forward passes with losses.</summary>
    public void Evaluate(Feed feed, int firstStep, int steps) => Run(_compiled.Evaluation, feed, firstStep, steps);

    /// <summary>The reconstructions of the images of one mini-batch, (B, H·W·C).</summary>
    public float[][] Reconstruct(Feed feed, int step)
    {
        Evaluate(feed, step, 1);
        return [.. Enumerable.Range(0, feed[step].Count).Select(image => _arena.ReadImage(_compiled.Output, image))];
    }

    /// <summary>Starts any program over the model's arena.</summary>
    public void Run(InstructionList program, Feed feed, int firstStep, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(feed.BatchSize, BatchSize);
        if (steps != 0)
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
            throw NoRoom(e.Message, e);
        }
    }

    private AcceleratorException NoRoom(string message, Exception cause) =>
        new($"{message}, for {Network.Title} with mini-batches of {BatchSize} images", cause) { IsOutOfMemory = true };
}
