using AutoencoderGpu.Kernels;

namespace AutoencoderGpu.Models;

/// <summary>A layer of a network; its input is the output of the layer before.</summary>
public abstract record Layer;

/// <summary>A layer with weights and a bias, followed by an activation.</summary>
/// <param name="Name">Prefix of its parameters' names, as in the reference's files.</param>
/// <param name="Outputs">Outputs, or output channels.</param>
/// <param name="Activation">What follows.</param>
public abstract record WeightedLayer(string Name, int Outputs, Activation Activation) : Layer;

/// <summary>Fully connected.</summary>
public sealed record DenseLayer(string Name, int Outputs, Activation Activation) : WeightedLayer(Name, Outputs, Activation);

/// <summary>A 3×3 convolution with stride 1 and padding 1.</summary>
public sealed record ConvLayer(string Name, int Outputs, Activation Activation) : WeightedLayer(Name, Outputs, Activation);

/// <summary>Max-pooling over 2×2.</summary>
public sealed record MaxPoolLayer : Layer;

/// <summary>Upsampling by 2.</summary>
public sealed record UpsampleLayer(Interpolation Interpolation) : Layer;

/// <summary>An autoencoder: layers that end in an image of the input's size.</summary>
/// <param name="Name"><c>fc</c> or <c>conv</c>, as in files and options.</param>
/// <param name="Title">For people, short.</param>
/// <param name="FullName">For people, above pictures.</param>
/// <param name="Layers">In forward order.</param>
/// <param name="EncoderPrefix">What the names of the encoder's layers begin with.</param>
public sealed partial record Network(string Name, string Title, string FullName, IReadOnlyList<Layer> Layers, string EncoderPrefix)
{
    /// <summary>Rows and columns of an image.</summary>
    public const int ImageSide = 28;

    /// <summary>Pixels of an image.</summary>
    public const int ImageSize = ImageSide * ImageSide;

    /// <summary>Both autoencoders.</summary>
    public static IReadOnlyList<Network> All(Interpolation interpolation) => [FullyConnected, Convolutional(interpolation)];
}

/// <summary>A tensor of parameters with PyTorch's name and shape.</summary>
/// <param name="Name">Such as <c>fcEncoder1.weight</c>.</param>
/// <param name="Shape">(out, in), (Cout, Cin, 3, 3), or (out) for a bias.</param>
/// <param name="FanIn">Inputs of each output, which bound the initial values.</param>
/// <param name="Offset">In the arena.</param>
/// <param name="IsEncoder">Whether it belongs to the encoder.</param>
public sealed record Parameter(string Name, IReadOnlyList<int> Shape, int FanIn, int Offset, bool IsEncoder)
{
    /// <summary>Number of values.</summary>
    public int Count => Shape.Aggregate(1, (product, size) => product * size);

    /// <summary>PyTorch's (Cout, Cin, 3, 3) to the arena's (3, 3, Cin, Cout); others are the same in both.</summary>
    public float[] ToArena(ReadOnlySpan<float> values) => Transpose(values, toArena: true);

    /// <summary>The inverse of <see cref="ToArena"/>.</summary>
    public float[] FromArena(ReadOnlySpan<float> values) => Transpose(values, toArena: false);

    private float[] Transpose(ReadOnlySpan<float> values, bool toArena)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, Count);
        if (Shape.Count != 4)
            return values.ToArray();
        var result = new float[values.Length];
        int cout = Shape[0], cin = Shape[1];
        for (var n = 0; n < cout; n++)
        {
            for (var c = 0; c < cin; c++)
            {
                for (var tap = 0; tap < 9; tap++)
                {
                    int torch = (n * cin + c) * 9 + tap, arena = (tap * cin + c) * cout + n;
                    if (toArena)
                        result[arena] = values[torch];
                    else
                        result[torch] = values[arena];
                }
            }
        }

        return result;
    }
}
