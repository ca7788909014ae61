using AutoencoderGpu.Models;
using AutoencoderGpu.Tests.Kernels;

namespace AutoencoderGpu.Tests.Models;

/// <summary>A network in double precision, from the references of its operations.</summary>
internal sealed class ReferenceNetwork
{
    private readonly Network _network;
    private readonly double[] _target;
    private readonly int _batch;
    private readonly List<double[]> _inputs = [];
    private readonly List<int[]> _winners = [];

    /// <param name="parameters">By PyTorch's names and layouts.</param>
    /// <param name="images">(B, 28, 28), normalised.</param>
    public ReferenceNetwork(Network network, IReadOnlyDictionary<string, double[]> parameters, double[] images)
    {
        _network = network;
        _target = images;
        _batch = images.Length / Digits.Size;
        Parameters = parameters;
        Output = images;
        var side = Digits.Side;
        foreach (var layer in network.Layers)
        {
            _inputs.Add(Output);
            _winners.Add([]);
            (Output, side) = Forward(layer, Output, side);
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

    private (double[] Output, int Side) Forward(Layer layer, double[] x, int side)
    {
        switch (layer)
        {
            case WeightedLayer weighted:
                double[] w = Parameters[weighted.Name + ".weight"], bias = Parameters[weighted.Name + ".bias"];
                var sums = layer is DenseLayer
                    ? Reference.Dense(x, w, bias, _batch)
                    : Reference.Conv3x3(x, w, bias, _batch, side, side);
                return ([.. sums.Values.Select(value => Reference.Activate(weighted.Activation, value))], side);
            case MaxPoolLayer:
                (var pooled, _winners[^1]) = Reference.MaxPool(x, side, side);
                return (pooled, side / 2);
            case UpsampleLayer upsample:
                return (Reference.Upsample(x, side, side, upsample.Interpolation).Values, 2 * side);
            default:
                throw new ArgumentException($"No reference for {layer}.");
        }
    }

    private double[] Backward(int index, double[] x, double[] output, double[] g, Dictionary<string, double[]> gradients)
    {
        switch (_network.Layers[index])
        {
            case WeightedLayer weighted:
                g = [.. g.Select((value, i) => value * Reference.Derivative(weighted.Activation, output[i]))];
                var w = Parameters[weighted.Name + ".weight"];
                var side = (int)Math.Sqrt(g.Length / _batch / weighted.Outputs);
                var (input, weight, bias) = weighted is DenseLayer
                    ? Reference.DenseBackward(g, x, w, _batch)
                    : Reference.Conv3x3Backward(g, x, w, weighted.Outputs, _batch, side, side);
                gradients[weighted.Name + ".weight"] = weight.Values;
                gradients[weighted.Name + ".bias"] = bias.Values;
                return input.Values;
            case MaxPoolLayer:
                return Reference.MaxPoolBackward(g, _winners[index], x.Length);
            case UpsampleLayer upsample:
                var sideOfInput = Sides(index);
                return Reference.UpsampleBackward(g, sideOfInput, sideOfInput, upsample.Interpolation).Values;
            default:
                throw new ArgumentException("No reference for a layer.");
        }
    }

    /// <summary>Rows of a layer's input.</summary>
    private int Sides(int index) => _network.Layers.Take(index).Aggregate(
        Digits.Side, (side, layer) => layer is MaxPoolLayer ? side / 2 : layer is UpsampleLayer ? 2 * side : side);
}
