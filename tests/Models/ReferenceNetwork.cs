using AutoencoderGpu.Models;
using AutoencoderGpu.Tests.Kernels;

namespace AutoencoderGpu.Tests.Models;

/// <summary>A network in double precision, from the references of its operations.</summary>
internal sealed class ReferenceNetwork
{
    private readonly Network _network;
    private readonly IReadOnlyList<string?> _names;
    private readonly Shape[] _shapes;
    private readonly double[] _target;
    private readonly int _batch;
    private readonly List<double[]> _inputs = [];
    private readonly List<int[]> _winners = [];

    /// <param name="parameters">By PyTorch's names and layouts.</param>
    /// <param name="images">(B, C, H, W), normalised.</param>
    public ReferenceNetwork(Network network, IReadOnlyDictionary<string, double[]> parameters, double[] images)
    {
        _network = network;
        _names = network.LayerNames();
        _shapes = [network.Input, .. network.Shapes()]; // of each layer's input, and of the last one's output
        _target = images;
        _batch = images.Length / network.Input.Size;
        Parameters = parameters;
        Output = images;
        for (var i = 0; i < network.Layers.Count; i++)
        {
            _inputs.Add(Output);
            _winners.Add([]);
            Output = Forward(i, Output);
        }

        Loss = Reference.MeanSquaredError(Output, _target, _batch).Losses.Values.Average();
    }

    public IReadOnlyDictionary<string, double[]> Parameters { get; }

    public double[] Output { get; }

    public double Loss { get; }

    /// <summary>∂L/∂ of every parameter.</summary>
    public Dictionary<string, double[]> Gradients()
    {
        var gradients = new Dictionary<string, double[]>();
        var g = Reference.MeanSquaredError(Output, _target, _batch).Gradient;
        var output = Output;
        for (var i = _network.Layers.Count - 1; i >= 0; i--)
        {
            var x = _inputs[i];
            g = Backward(i, x, output, g, gradients);
            output = x;
        }

        return gradients;
    }

    private double[] Forward(int index, double[] x)
    {
        var (height, width, _) = _shapes[index];
        switch (_network.Layers[index])
        {
            case WeightedLayer weighted:
                double[] w = Parameters[_names[index] + ".weight"], bias = Parameters[_names[index] + ".bias"];
                var sums = weighted is DenseLayer
                    ? Reference.Dense(x, w, bias, _batch)
                    : Reference.Conv3x3(x, w, bias, _batch, height, width);
                return [.. sums.Values.Select(value => Reference.Activate(weighted.Activation, value))];
            case MaxPoolLayer:
                (var pooled, _winners[^1]) = Reference.MaxPool(x, height, width);
                return pooled;
            case UpsampleLayer upsample:
                return Reference.Upsample(x, height, width, upsample.Interpolation).Values;
            case FlattenLayer or UnflattenLayer:
                return x;
            default:
                throw new ArgumentException($"No reference for {_network.Layers[index]}.");
        }
    }

    private double[] Backward(int index, double[] x, double[] output, double[] g, Dictionary<string, double[]> gradients)
    {
        var (height, width, _) = _shapes[index];
        switch (_network.Layers[index])
        {
            case WeightedLayer weighted:
                g = [.. g.Select((value, i) => value * Reference.Derivative(weighted.Activation, output[i]))];
                var w = Parameters[_names[index] + ".weight"];
                var (input, weight, bias) = weighted is DenseLayer
                    ? Reference.DenseBackward(g, x, w, _batch)
                    : Reference.Conv3x3Backward(g, x, w, weighted.Outputs, _batch, height, width);
                gradients[_names[index] + ".weight"] = weight.Values;
                gradients[_names[index] + ".bias"] = bias.Values;
                return input.Values;
            case MaxPoolLayer:
                return Reference.MaxPoolBackward(g, _winners[index], x.Length);
            case UpsampleLayer upsample:
                return Reference.UpsampleBackward(g, height, width, upsample.Interpolation).Values;
            case FlattenLayer or UnflattenLayer:
                return g;
            default:
                throw new ArgumentException($"No reference for {_network.Layers[index]}.");
        }
    }
}
