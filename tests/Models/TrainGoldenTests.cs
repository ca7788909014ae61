using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Operations;
using AutoencoderGpu.Models;
using AutoencoderGpu.Tests.Kernels;
using Xunit;

namespace AutoencoderGpu.Tests.Models;

/// <summary>Four training steps of small networks on images of three channels, as libtorch makes them: every optimiser and loss there is.</summary>
[Collection(OnExecutors.Name)]
public class TrainGoldenTests
{
    private const int Steps = 4;

    public static IEnumerable<TheoryDataRow<string, string>> Cases => Rows.Of(ExecutorsUnderTest.Names, Golden.Of("train-"));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Trains_as_libtorch_does(string executor, string name)
    {
        var golden = Golden.Load(name);
        var input = golden.Tensors["input"];
        var (network, optimiser, rate, norm) = Setting(name, new(input.Shape[2], input.Shape[3], input.Shape[1]));
        using var subject = new NetworkUnderTest(executor, network, input.Shape[0], norm, optimiser);
        Dictionary<string, float[]> initial = Tensors(golden, "param."), gradients = Tensors(golden, "grad.");
        Assert.Equal(initial.Keys.Order(), subject.Parameters.Select(parameter => parameter.Name).Order());
        Assert.All(subject.Parameters, parameter => Assert.Equal(parameter.Shape, golden.Tensors["param." + parameter.Name].Shape));
        subject.Write(initial);
        // How far an element's gradient may be off in every step; golden files of clipping hold no gradients.
        var errors = initial.ToDictionary(item => item.Key, item => gradients.TryGetValue(item.Key, out var values)
            ? NetworkUnderTest.Bound(Reference.Exact(values))
            : NetworkUnderTest.Bound([norm]));
        for (var step = 1; golden.Tensors.ContainsKey($"loss{step}"); step++)
        {
            var loss = subject.Step(input.Values, rate, step - 1);
            var expected = (double)golden.Tensors[$"loss{step}"].Values[0];
            Tolerance.Check($"loss {step}", [(float)loss], [expected], _ => step * NetworkUnderTest.Bound([expected]));
            if (step == 1 && golden.Tensors.TryGetValue("output", out var output))
                NetworkUnderTest.Check("output", subject.Output(input.Shape[0]), Reference.Exact(output.Values));
            var updated = subject.Read();
            foreach (var (tensor, values) in Tensors(golden, $"after{step}."))
            {
                Tolerance.Check($"{tensor} after {step}", updated[tensor], Reference.Exact(values), i =>
                    step * (Bound(optimiser, rate, errors[tensor], gradients.GetValueOrDefault(tensor)?[i] ?? 0) + 4 * Tolerance.Rounding * Math.Abs(values[i])));
            }
        }
    }

    /// <summary>What an error of the gradient can do to a parameter in one step.</summary>
    private static double Bound(Optimiser optimiser, double rate, double error, double gradient)
    {
        // Momentum adds up to four steps; a rule that divides a gradient by its size magnifies the error of a small one, up to its sign.
        if (optimiser.State.Count < 2)
            return rate * error * (optimiser.State.Count == 0 ? 1 : Steps);
        return rate * Math.Min(2, 4 * error / Math.Max(Math.Abs(gradient), 1e-30) + 16 * Tolerance.Rounding);
    }

    /// <summary>As the golden files' README describes each file's model and optimiser; a name that is unknown is a failure.</summary>
    private static (Network Network, Optimiser Optimiser, float Rate, float Norm) Setting(string name, Shape shape)
    {
        var parts = name.Split('-');
        Layer[] layers = parts[1] switch
        {
            "fc" =>
            [
                new FlattenLayer(), new DenseLayer(null, 20, Activation.Relu), new DenseLayer(null, 6, Activation.Relu),
                new DenseLayer(null, 20, Activation.Relu), new DenseLayer(null, 48, Activation.Sigmoid), new UnflattenLayer(shape),
            ],
            "mixed" =>
            [
                new ConvLayer(null, 8, Activation.LeakyRelu), new MaxPoolLayer(), new FlattenLayer(), new DenseLayer(null, 10, Activation.Tanh),
                new DenseLayer(null, 192, Activation.LeakyRelu), new UnflattenLayer(new(4, 6, 8)), new UpsampleLayer(Interpolation.Nearest),
                new ConvLayer(null, 3, Activation.Sigmoid),
            ],
            _ => throw new InvalidDataException($"No test knows the model of {name}."),
        };
        var (optimiser, rate) = parts[2] switch
        {
            "sgd" => (Optimiser.Named("sgd", new()), 0.5f),
            "momentum" => (Optimiser.Named("momentum", new(Momentum: 0.9)), 0.2f),
            "adam" => (Optimiser.Named("adam", new()), 0.01f),
            "adamw" => (Optimiser.Named("adamw", new(WeightDecay: 0.05)), 0.01f),
            _ => throw new InvalidDataException($"No test knows the optimiser of {name}."),
        };
        var isClipped = parts.Length > 4 && parts[4] == "clipped";
        var network = new Network(parts[1], parts[1], parts[1], shape, layers, parts[1] == "fc" ? 3 : 4)
        {
            Normalisation = Normalisation.None(shape.Channels),
            Loss = Loss.All.Single(loss => loss.Name == parts[3]),
        };
        return isClipped ? (network, optimiser, 1, 0.02f) : (network, optimiser, rate, 0);
    }

    private static Dictionary<string, float[]> Tensors(Safetensors file, string prefix) => file.Tensors
        .Where(item => item.Key.StartsWith(prefix, StringComparison.Ordinal))
        .ToDictionary(item => item.Key[prefix.Length..], item => item.Value.Values);
}
