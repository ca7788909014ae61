using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Operations;

namespace AutoencoderGpu.Models;

/// <summary>What a program is compiled for.</summary>
/// <param name="BatchSize">Images of a mini-batch, at most.</param>
/// <param name="MaximalGradientNorm">The norm at which all gradients are clipped together; 0 for not.</param>
/// <param name="GradientSplits">The executor's <see cref="AutoencoderGpu.Kernels.Executors.Executor.GradientSplits"/>.</param>
public sealed record CompilerOptions(int BatchSize, float MaximalGradientNorm = 0, int GradientSplits = 1)
{
    /// <summary>The update rule; plain SGD where none is named.</summary>
    public Optimiser Optimiser { get; init; } = Optimiser.All[0];

    /// <summary>Whether there is a training program, too, which takes longer to make and a larger arena.</summary>
    public bool Trains { get; init; } = true;

    /// <summary>Whether neighbouring instructions are fused; only tests want to know what happens otherwise.</summary>
    internal bool Fuses { get; init; } = true;
}

/// <summary>A network as instructions over an arena.</summary>
/// <param name="ArenaLength">Floats.</param>
/// <param name="Parameters">In the order of the layers, weights before bias.</param>
/// <param name="State">What the optimiser remembers of each parameter, as tensors like the parameters.</param>
/// <param name="Constants">What the arena must hold before the first step.</param>
/// <param name="Input">The normalised images.</param>
/// <param name="Output">The reconstructions.</param>
/// <param name="Training">One training step: gather, forward, loss, backward, update; nothing where <see cref="CompilerOptions.Trains"/> is not set.</param>
/// <param name="Evaluation">Gather, forward, loss.</param>
public sealed record CompiledNetwork(
    int ArenaLength,
    IReadOnlyList<Parameter> Parameters,
    IReadOnlyList<Parameter> State,
    IReadOnlyList<Constant> Constants,
    FeatureMap Input,
    FeatureMap Output,
    InstructionList Training,
    InstructionList Evaluation);

/// <summary>Values that the arena must hold.</summary>
/// <param name="Offset">In the arena.</param>
/// <param name="Values">From there on.</param>
public sealed record Constant(int Offset, float[] Values);

/// <summary>
/// Turns a network into instructions: has each layer emit its plain ones, fuses neighbours (<see cref="Fusion"/>), and gives what is left its place
/// (<see cref="ArenaSpace"/>). Every activation has a gradient map of its own shape beside it. A gradient map holds ∂L/∂(pre-activation):
/// the operation that writes it multiplies by the derivative of the activation in front.
/// </summary>
public static class Compiler
{
    /// <summary>Compiles a network.</summary>
    /// <exception cref="ArgumentException">Its layers do not fit together, or options are out of range.</exception>
    /// <exception cref="OverflowException">It is too large for one arena.</exception>
    public static CompiledNetwork Compile(Network network, CompilerOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BatchSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.GradientSplits, 1);
        if (!(options.MaximalGradientNorm >= 0))
            throw new ArgumentOutOfRangeException(nameof(options), options.MaximalGradientNorm, "A norm to clip at is above 0, or 0 for none.");

        var shapes = network.Shapes();
        var space = new ArenaSpace(options.BatchSize);
        var parameters = Layout(network, shapes);
        var length = parameters.Count == 0 ? 0 : parameters.Max(parameter => parameter.Offset + parameter.Count);
        var run = new Run(space, parameters, length, options);

        var (scale, shift) = (space.Slice(network.Input.Channels), space.Slice(network.Input.Channels));
        var constants = new List<Constant> { new(scale, network.Normalisation.Scales), new(shift, network.Normalisation.Shifts) };
        var input = MapOf(space, network.Input);
        var forward = new List<Instruction> { Gather.Of(input, scale, shift) };
        var target = input;
        if (network.Loss.TargetsPixels && !network.Normalisation.IsNone)
        {
            var pixels = Normalisation.None(network.Input.Channels);
            (scale, shift) = (space.Slice(network.Input.Channels), space.Slice(network.Input.Channels));
            constants.AddRange([new(scale, pixels.Scales), new(shift, pixels.Shifts)]);
            target = MapOf(space, network.Input);
            forward.Add(Gather.Of(target, scale, shift));
        }

        var layers = Operands(network, shapes, space, input, run);
        var (output, gradient) = (layers[^1].Output, layers[^1].OutputGradient);
        for (var i = 0; i < layers.Count; i++)
            forward.AddRange(network.Layers[i].Forward(layers[i]));
        List<Instruction> evaluation = [.. forward, network.Loss.Evaluate(output, target, default, network.OutputActivation)];
        List<Instruction> training = [];
        if (options.Trains)
        {
            training.AddRange([.. forward, network.Loss.Evaluate(output, target, gradient, network.OutputActivation)]);
            for (var i = layers.Count - 1; i >= 0; i--)
                training.AddRange(network.Layers[i].Backward(layers[i]));
            training.AddRange(run.Update());
        }

        if (options.Fuses)
        {
            var fusion = new Fusion(space);
            (training, evaluation) = (fusion.Fuse(training), fusion.Fuse(evaluation));
        }

        var (programs, arenaLength, placeOf) = space.Place(
            [training, evaluation], [run.Parameters, .. run.State, .. constants.Select(constant => constant.Offset)]);
        FeatureMap Placed(FeatureMap map) => map with { Offset = placeOf(map.Offset), Border = space.BorderOf(map) };
        return new(
            arenaLength,
            [.. parameters.Select(parameter => parameter with { Offset = placeOf(run.Parameters + parameter.Offset) })],
            [.. options.Optimiser.State.SelectMany((name, i) => parameters.Select(parameter =>
                parameter with { Name = $"{name}.{parameter.Name}", Offset = placeOf(run.State[i] + parameter.Offset) }))],
            [.. constants.Select(constant => constant with { Offset = placeOf(constant.Offset) })],
            Placed(input),
            Placed(output),
            programs[0],
            programs[1]);
    }

    /// <summary>All parameters in the order of the layers, with offsets from the first of them; those whose gradients are split are the last.</summary>
    private static List<Parameter> Layout(Network network, IReadOnlyList<Shape> shapes)
    {
        var names = network.LayerNames();
        var parameters = new List<Parameter>[names.Count];
        var end = 0;
        foreach (var isSplit in (ReadOnlySpan<bool>)[false, true])
        {
            for (var i = 0; i < parameters.Length; i++)
            {
                if (network.Layers[i].HasSplitGradients != isSplit)
                    continue;
                parameters[i] = [];
                foreach (var shape in network.Layers[i].ParametersOf(InputOf(network, shapes, i)))
                {
                    parameters[i].Add(new($"{names[i]}.{shape.Suffix}", shape.Sizes, shape.FanIn, end, i < network.EncoderLayers));
                    end = checked(end + shape.Count);
                }

                end = ArenaSpace.Aligned(end);
            }
        }

        return [.. parameters.SelectMany(list => list)];
    }

    private static List<LayerOperands> Operands(
        Network network, IReadOnlyList<Shape> shapes, ArenaSpace space, FeatureMap input, Run run)
    {
        var layers = new List<LayerOperands>();
        var (activation, gradient) = (Activation.None, default(FeatureMap));
        var names = network.LayerNames();
        for (var i = 0; i < network.Layers.Count; i++)
        {
            var layer = network.Layers[i];
            var output = MapOf(space, shapes[i]);
            var offsets = run.OffsetsOf(names[i]);
            layers.Add(new(space)
            {
                Input = input,
                InputActivation = activation,
                InputGradient = gradient,
                Output = output,
                OutputGradient = MapOf(space, shapes[i]),
                Parameters = [.. offsets.Select(offset => run.Parameters + offset)],
                Gradients = offsets.Count == 0 ? default : run.GradientsAt(offsets[0], layer.HasSplitGradients),
            });
            (input, activation, gradient) = (output, layer.ActivationOf(activation), layers[^1].OutputGradient);
        }

        return layers;
    }

    private static Shape InputOf(Network network, IReadOnlyList<Shape> shapes, int layer) => layer == 0 ? network.Input : shapes[layer - 1];

    private static FeatureMap MapOf(ArenaSpace space, Shape shape) => space.Map(shape.Height, shape.Width, shape.Channels);

    /// <summary>The run of all parameters, and what lies as it does: gradients, in the order of the parameters, and the optimiser's state.</summary>
    private sealed class Run
    {
        private readonly IReadOnlyList<Parameter> _parameters;
        private readonly CompilerOptions _options;
        private readonly int _length;
        private readonly int _splitStart;
        private readonly int _gradients;
        private readonly int _partials;

        public Run(ArenaSpace space, IReadOnlyList<Parameter> parameters, int length, CompilerOptions options)
        {
            (_parameters, _options, _length) = (parameters, options, length);
            _splitStart = parameters.FirstOrDefault(parameter => parameter.Shape.Count == 4)?.Offset ?? length;
            Parameters = space.Slice(length);
            _gradients = space.Slice(checked(length + (Splits - 1) * SplitStride));
            _partials = space.Slice(length / Gradients.NormBlock + 1);
            State = [.. options.Optimiser.State.Select(_ => space.Slice(length))];
        }

        /// <summary>Offset of the first parameter.</summary>
        public int Parameters { get; }

        /// <summary>Offsets of the optimiser's state.</summary>
        public IReadOnlyList<int> State { get; }

        private int Splits => _splitStart < _length ? _options.GradientSplits : 1;

        private int SplitStride => _length - _splitStart;

        public List<int> OffsetsOf(string? layer) =>
            [.. _parameters.Where(parameter => layer is not null && parameter.Name.StartsWith(layer + ".", StringComparison.Ordinal)).Select(parameter => parameter.Offset)];

        public SplitGradients GradientsAt(int offset, bool areSplit) =>
            areSplit ? new(_gradients + offset, Splits, SplitStride) : new(_gradients + offset);

        /// <summary>The instructions that apply the gradients.</summary>
        public IEnumerable<Instruction> Update()
        {
            if (_length == 0)
                yield break;
            var gradients = new Gradients(_gradients, _length).SplitInto(Splits, SplitStride, Splits > 1 ? _splitStart : 0);
            if (_options.MaximalGradientNorm > 0)
            {
                yield return GradientNorm.Of(gradients, _partials);
                gradients = gradients.ClippedAt(_partials, _options.MaximalGradientNorm);
            }

            yield return _options.Optimiser.Update(Parameters, gradients, State);
        }
    }
}
