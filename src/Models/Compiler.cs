using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Operations;

namespace AutoencoderGpu.Models;

/// <summary>What a program is compiled for.</summary>
/// <param name="BatchSize">Images of a mini-batch, at most.</param>
/// <param name="MaximalGradientNorm">The norm at which the gradients of convolutions are clipped together; 0 for not.</param>
/// <param name="GradientSplits">The executor's <see cref="Executor.GradientSplits"/>.</param>
/// <param name="Mean">Of the pixels, in 0 to 1.</param>
/// <param name="Deviation">Of the pixels.</param>
public sealed record CompilerOptions(
    int BatchSize,
    float MaximalGradientNorm = 0,
    int GradientSplits = 1,
    double Mean = Normalisation.Mean,
    double Deviation = Normalisation.Deviation);

/// <summary>A network as instructions over an arena.</summary>
/// <param name="ArenaLength">Floats.</param>
/// <param name="Parameters">In the order of the layers, weights before bias.</param>
/// <param name="Input">The normalised images, which are also the target.</param>
/// <param name="Output">The reconstructions.</param>
/// <param name="Training">One training step: gather, forward, loss, backward, update.</param>
/// <param name="Evaluation">Gather, forward, loss.</param>
public sealed record CompiledNetwork(
    int ArenaLength,
    IReadOnlyList<Parameter> Parameters,
    FeatureMap Input,
    FeatureMap Output,
    InstructionList Training,
    InstructionList Evaluation);

/// <summary>
/// Turns a network into instructions. Every activation has a gradient map of its own shape beside it. A gradient map holds
/// ∂L/∂(pre-activation): the operation that writes it multiplies by the derivative of the activation in front.
/// </summary>
public sealed class Compiler
{
    private readonly Network _network;
    private readonly CompilerOptions _options;
    private readonly List<Parameter> _parameters = [];
    private int _arenaLength;

    private Compiler(Network network, CompilerOptions options)
    {
        _network = network;
        _options = options;
    }

    /// <summary>Compiles a network.</summary>
    public static CompiledNetwork Compile(Network network, CompilerOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BatchSize, 1);
        return new Compiler(network, options).Compile();
    }

    private CompiledNetwork Compile()
    {
        var stages = Stages();
        // Convolutions come first and together, since one update serves all of their parameters.
        foreach (var stage in stages.OrderBy(stage => stage.Layer is not ConvLayer))
            AllocateParameters(stage);
        var updated = ConvUpdate.Allocate(this, stages);
        var input = AllocateMap(Network.ImageSide, Network.ImageSide, 1, stages[0].IsPlainConvolution);
        AllocateMaps(stages, input);

        var last = stages[^1];
        List<Instruction> forward = [Gather.Forward(input, _options.Mean, _options.Deviation)];
        forward.AddRange(stages.SelectMany(Forward));
        List<Instruction> backward = [MeanSquaredError.Evaluate(last.Output, input, last.Gradient, last.Activation)];
        for (var i = stages.Count - 1; i >= 0; i--)
            backward.AddRange(Backward(stages[i], i > 0 ? stages[i - 1] : null, updated));
        backward.AddRange(updated.Instructions(_options));
        var loss = MeanSquaredError.Evaluate(last.Output, input, default, last.Activation);
        return new(
            _arenaLength,
            [.. stages.SelectMany(stage => stage.Parameters)],
            input,
            last.Output,
            new InstructionList([.. forward, .. backward]),
            new InstructionList([.. forward, loss]));
    }

    private List<Stage> Stages()
    {
        var stages = new List<Stage>();
        int height = Network.ImageSide, width = Network.ImageSide, channels = 1;
        Interpolation? upsampling = null;
        for (var i = 0; i < _network.Layers.Count; i++)
        {
            var layer = _network.Layers[i];
            if (layer is MaxPoolLayer && stages.LastOrDefault() is { IsPlainConvolution: true, IsPooled: false } pooled)
            {
                // The convolution in front pools its sums itself.
                pooled.IsPooled = true;
                (height, width) = (height / 2, width / 2);
                (pooled.Height, pooled.Width) = (height, width);
                continue;
            }

            if (layer is UpsampleLayer upsample && i + 1 < _network.Layers.Count && _network.Layers[i + 1] is ConvLayer)
            {
                upsampling = upsample.Interpolation;
                continue;
            }

            var stage = new Stage(layer) { InputSize = height * width * channels, InputChannels = channels, Upsampling = upsampling };
            // A maximum of activated values is an activated value.
            stage.Activation = layer switch
            {
                WeightedLayer weighted => weighted.Activation,
                MaxPoolLayer when stages.Count > 0 => stages[^1].Activation,
                _ => Activation.None,
            };
            (height, width, channels) = layer switch
            {
                DenseLayer dense => (1, 1, dense.Outputs),
                ConvLayer conv when upsampling is not null => (2 * height, 2 * width, conv.Outputs),
                ConvLayer conv => (height, width, conv.Outputs),
                MaxPoolLayer => (height / 2, width / 2, channels),
                UpsampleLayer => (2 * height, 2 * width, channels),
                _ => throw new ArgumentException($"No instruction for {layer}."),
            };
            (stage.Height, stage.Width, stage.Channels) = (height, width, channels);
            stages.Add(stage);
            upsampling = null;
        }

        // A dense layer's output is flat; the last one's is an image again.
        if (height * width * channels != Network.ImageSize)
            throw new ArgumentException($"{_network.Name} ends in {height}×{width}×{channels} values, not in an image.");
        (stages[^1].Height, stages[^1].Width, stages[^1].Channels) = (Network.ImageSide, Network.ImageSide, 1);
        return stages;
    }

    private void AllocateParameters(Stage stage)
    {
        if (stage.Layer is not WeightedLayer layer)
            return;
        var isEncoder = layer.Name.StartsWith(_network.EncoderPrefix, StringComparison.Ordinal);
        int outputs = layer.Outputs, inputs = stage.InputSize, channels = stage.InputChannels;
        int[] shape = layer is ConvLayer ? [outputs, channels, 3, 3] : [outputs, inputs];
        var fanIn = layer is ConvLayer ? 9 * channels : inputs;
        var weights = Allocate(outputs * fanIn + outputs);
        stage.Parameters =
        [
            new(layer.Name + ".weight", shape, fanIn, weights, isEncoder),
            new(layer.Name + ".bias", [outputs], fanIn, weights + outputs * fanIn, isEncoder),
        ];
    }

    private void AllocateMaps(List<Stage> stages, FeatureMap input)
    {
        for (var i = 0; i < stages.Count; i++)
        {
            var stage = stages[i];
            stage.Input = i == 0 ? input : stages[i - 1].Output;
            stage.Output = AllocateMap(stage.Height, stage.Width, stage.Channels, i + 1 < stages.Count && stages[i + 1].IsPlainConvolution);
            stage.Gradient = AllocateMap(stage.Height, stage.Width, stage.Channels, stage.IsPlainConvolution && !stage.IsPooled);
            if (stage.IsPooled || stage.Layer is MaxPoolLayer)
                stage.Winners = AllocateMap(stage.Height, stage.Width, stage.Channels, false);
            if (stage.IsPooled && i > 0)
                stage.UnpooledGradient = AllocateMap(stage.Input.Height, stage.Input.Width, stage.Channels, true);
            if (stage.Upsampling is null)
                continue;
            stage.Products = new FeatureMap(0, stage.Input.Height, stage.Input.Width, stage.Channels, 0);
            stage.TapStride = checked(_options.BatchSize * stage.Products.Size);
            stage.Products = stage.Products with { Offset = Allocate(checked(9 * stage.TapStride)) };
        }
    }

    /// <summary>A convolution reads the border of its input forward, and that of its output's gradient backward.</summary>
    private FeatureMap AllocateMap(int height, int width, int channels, bool bordered)
    {
        var map = new FeatureMap(0, height, width, channels, bordered ? 1 : 0);
        return map with { Offset = Allocate(checked(_options.BatchSize * map.ImageStride)) };
    }

    private int Allocate(int length)
    {
        var offset = _arenaLength;
        _arenaLength = checked(offset + (length + Arena.Alignment - 1) / Arena.Alignment * Arena.Alignment);
        return offset;
    }

    private static IEnumerable<Instruction> Forward(Stage stage)
    {
        switch (stage.Layer)
        {
            case DenseLayer:
                yield return Dense.Forward(stage.Input, stage.Weights, stage.Bias, stage.Output, stage.Activation);
                break;
            case ConvLayer when stage.Upsampling is { } interpolation:
                yield return UpsampledConv3x3.Project(stage.Input, stage.Weights, stage.Products, stage.TapStride);
                yield return UpsampledConv3x3.Spread(
                    stage.Products, stage.TapStride, stage.Bias, stage.Output, stage.Activation, interpolation);
                break;
            case ConvLayer when stage.IsPooled:
                yield return PooledConv3x3.Forward(
                    stage.Input, stage.Weights, stage.Bias, stage.Output, stage.Winners, stage.Activation);
                break;
            case ConvLayer:
                yield return Conv3x3.Forward(stage.Input, stage.Weights, stage.Bias, stage.Output, stage.Activation);
                break;
            case MaxPoolLayer:
                yield return MaxPool2x2.Forward(stage.Input, stage.Output, stage.Winners);
                break;
            case UpsampleLayer upsample:
                yield return Upsample2x.Forward(stage.Input, stage.Output, upsample.Interpolation);
                break;
        }
    }

    private static IEnumerable<Instruction> Backward(Stage stage, Stage? previous, ConvUpdate update)
    {
        var gradient = previous?.Gradient ?? default;
        var activation = previous?.Activation ?? Activation.None;
        switch (stage.Layer)
        {
            case DenseLayer:
                yield return Dense.Backward(stage.Gradient, stage.Input, stage.Weights, stage.Bias, gradient, activation);
                break;
            case ConvLayer conv when stage.Upsampling is { } interpolation:
                // z is not needed any more, and its gradient takes its place.
                yield return UpsampledConv3x3.Collect(stage.Gradient, stage.Products, stage.TapStride, interpolation);
                yield return UpsampledConv3x3.BackwardWeights(
                    stage.Products, stage.TapStride, stage.Input, update.GradientOf(stage.Weights), update.Splits, update.Count);
                if (previous is null)
                    break;
                yield return Conv3x3.Rotate(stage.Weights, stage.RotatedWeights, stage.InputChannels, conv.Outputs);
                yield return UpsampledConv3x3.BackwardInput(
                    stage.Products, stage.TapStride, stage.RotatedWeights, gradient, stage.Input, activation);
                break;
            case ConvLayer when stage.IsPooled && previous is null:
                yield return PooledConv3x3.BackwardWeights(
                    stage.Gradient, stage.Winners, stage.Input, update.GradientOf(stage.Weights), update.Splits, update.Count);
                break;
            case ConvLayer conv:
                var sums = stage.IsPooled ? stage.UnpooledGradient : stage.Gradient;
                if (stage.IsPooled)
                    yield return MaxPool2x2.Backward(stage.Gradient, stage.Winners, sums);
                yield return Conv3x3.BackwardWeights(
                    sums, stage.Input, update.GradientOf(stage.Weights), update.Splits, update.Count);
                if (previous is null)
                    break;
                yield return Conv3x3.Rotate(stage.Weights, stage.RotatedWeights, stage.InputChannels, conv.Outputs);
                yield return Conv3x3.BackwardInput(sums, stage.RotatedWeights, gradient, stage.Input, activation);
                break;
            case MaxPoolLayer when previous is not null:
                // Its gradient has been multiplied by the derivative already, since its activation is that of the layer in front.
                yield return MaxPool2x2.Backward(stage.Gradient, stage.Winners, gradient);
                break;
            case UpsampleLayer upsample when previous is not null:
                yield return Upsample2x.Backward(stage.Gradient, stage.Input, gradient, upsample.Interpolation, activation);
                break;
        }
    }

    /// <summary>
    /// A layer with its place in the arena; a convolution has the upsampling in front of it or the pooling behind it in it.
    /// </summary>
    private sealed class Stage(Layer layer)
    {
        public Layer Layer { get; } = layer;

        public Interpolation? Upsampling { get; init; }

        /// <summary>Whether it is a convolution with the pooling behind it.</summary>
        public bool IsPooled { get; set; }

        public bool IsPlainConvolution => Layer is ConvLayer && Upsampling is null;

        public int InputSize { get; init; }

        public int InputChannels { get; init; }

        public int Height { get; set; }

        public int Width { get; set; }

        public int Channels { get; set; }

        public FeatureMap Input { get; set; }

        public FeatureMap Output { get; set; }

        public FeatureMap Gradient { get; set; }

        /// <summary>Of a pooling.</summary>
        public FeatureMap Winners { get; set; }

        /// <summary>The gradient of a pooled convolution's sums, where that of its input is made of it.</summary>
        public FeatureMap UnpooledGradient { get; set; }

        /// <summary>The first of an upsampled convolution's nine maps.</summary>
        public FeatureMap Products { get; set; }

        public int TapStride { get; set; }

        public IReadOnlyList<Parameter> Parameters { get; set; } = [];

        public int RotatedWeights { get; set; }

        public int Weights => Parameters[0].Offset;

        public int Bias => Parameters[1].Offset;

        /// <summary>What made the output, by whose derivative its gradient is multiplied.</summary>
        public Activation Activation { get; set; }
    }

    /// <summary>
    /// The gradients of all convolutions, in the layout of their parameters, and the update that applies them. Dense layers need
    /// none: their gradients are applied as they arise. The parameters of convolutions are the first in the arena.
    /// </summary>
    private sealed record ConvUpdate(int Count, int Gradients, int Partials, int Splits)
    {
        /// <summary>Called when the parameters of convolutions are all that the arena holds so far, or when there are none.</summary>
        public static ConvUpdate Allocate(Compiler compiler, List<Stage> stages)
        {
            var convolutions = stages.Where(stage => stage.Layer is ConvLayer).ToList();
            var count = convolutions.Count == 0 ? 0 : convolutions.Max(stage => stage.Bias + stage.Parameters[1].Count);
            foreach (var stage in convolutions)
                stage.RotatedWeights = compiler.Allocate(stage.Parameters[0].Count);
            var splits = compiler._options.GradientSplits;
            return new(count, compiler.Allocate(checked(splits * count)), compiler.Allocate(count / Sgd.NormBlock + 1), splits);
        }

        public int GradientOf(int parameter) => Gradients + parameter;

        public IEnumerable<Instruction> Instructions(CompilerOptions options)
        {
            if (Count == 0)
                yield break;
            if (options.MaximalGradientNorm > 0)
            {
                yield return Sgd.GradientNorm(Gradients, Count, Partials, Splits, Count);
                yield return Sgd.ClippedUpdate(0, Gradients, Count, Partials, options.MaximalGradientNorm);
            }
            else
            {
                yield return Sgd.Update(0, Gradients, Count, Splits, Count);
            }
        }
    }
}
