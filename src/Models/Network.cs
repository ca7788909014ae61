using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Operations;

namespace AutoencoderGpu.Models;

/// <summary>An autoencoder as data: layers that end in an image of the input's size, and what it is trained on and for.</summary>
/// <param name="Name">As in files and options.</param>
/// <param name="Title">For people, short.</param>
/// <param name="FullName">For people, above pictures.</param>
/// <param name="Input">An image's shape.</param>
/// <param name="Layers">In forward order.</param>
/// <param name="EncoderLayers">How many of the layers make the code.</param>
public sealed partial record Network(string Name, string Title, string FullName, Shape Input, IReadOnlyList<Layer> Layers, int EncoderLayers)
{
    /// <summary>How bytes become the input; the reference's where nothing else is said.</summary>
    public Normalisation Normalisation { get; init; } = Normalisation.Mnist;

    /// <summary>What it is trained for.</summary>
    public Loss Loss { get; init; } = Loss.All[0];

    /// <summary>What makes its output.</summary>
    public Activation OutputActivation => Layers.Aggregate(Activation.None, (activation, layer) => layer.ActivationOf(activation));

    /// <summary>What the output is to be for a byte.</summary>
    public double TargetOf(byte value, int channel = 0) => Loss.TargetsPixels ? value / 255.0 : Normalisation.Of(value, channel);

    /// <summary>The published autoencoders.</summary>
    public static IReadOnlyList<Network> Published(Interpolation interpolation) => [FullyConnected, Convolutional(interpolation)];

    /// <summary>The shapes of the layers' outputs.</summary>
    /// <exception cref="ArgumentException">A layer cannot take its input, or the last one does not make an image; the message says what would fit.</exception>
    public IReadOnlyList<Shape> Shapes()
    {
        Input.Check(nameof(Input));
        Normalisation.Check(Input.Channels, nameof(Normalisation));
        if (Layers.Count == 0)
            throw new ArgumentException($"{Title} has no layers.");
        if (EncoderLayers < 0 || EncoderLayers > Layers.Count)
            throw new ArgumentException($"{Title} has {Layers.Count} layers, of which {EncoderLayers} cannot make the code.");
        var shapes = new Shape[Layers.Count];
        var shape = Input;
        for (var i = 0; i < Layers.Count; i++)
        {
            try
            {
                shapes[i] = shape = Layers[i].OutputOf(shape);
                _ = shape.Size;
            }
            catch (Exception e) when (e is ArgumentException or OverflowException)
            {
                throw new ArgumentException($"{Title}, layer {i + 1}: {e.Message}", e);
            }
        }

        // The pixels of one channel are in the order of flat values.
        if (Layers[^1] is DenseLayer && Input.Channels == 1 && shape.Size == Input.Size)
            shapes[^1] = Input;
        return shapes[^1] == Input
            ? shapes
            : throw new ArgumentException($"{Title} ends in {shape}, where an image of {Input} is wanted.");
    }

    /// <summary>The names of the layers with parameters, null for others: those that they have, else encoder1, encoder2, decoder1 and so on.</summary>
    internal IReadOnlyList<string?> LayerNames()
    {
        int encoders = 0, decoders = 0;
        string?[] names =
        [
            .. Layers.Select((layer, i) => layer is WeightedLayer weighted
                ? weighted.Name ?? (i < EncoderLayers ? $"encoder{++encoders}" : $"decoder{++decoders}")
                : null),
        ];
        return names.OfType<string>().GroupBy(name => name).FirstOrDefault(group => group.Count() > 1) is { Key: var twice }
            ? throw new ArgumentException($"{Title} has two layers named {twice}.")
            : names;
    }
}
