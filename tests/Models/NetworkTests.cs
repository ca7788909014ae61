using System.Globalization;
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Models;
using AutoencoderGpu.Tests.Kernels;
using Xunit;

namespace AutoencoderGpu.Tests.Models;

/// <summary>Whole training steps against libtorch and against the double-precision network.</summary>
[Collection(OnExecutors.Name)]
public class NetworkTests
{
    /// <summary>The simulator takes half a minute for a step of the convolutional network: it gets one image, below.</summary>
    public static IEnumerable<TheoryDataRow<string, string>> GoldenCases => Rows.Of(ExecutorsUnderTest.NamesForModels, Golden.Models)
        .Concat(Rows.Of([ExecutorsUnderTest.Simulator], Golden.Models.Where(name => name.StartsWith("model-fc", StringComparison.Ordinal))));

    public static IEnumerable<TheoryDataRow<string>> Executors =>
        ExecutorsUnderTest.NamesForModels.Select(name => Rows.OnItsExecutor(new TheoryDataRow<string>(name), name));

    public static IEnumerable<TheoryDataRow<string>> Names => Golden.Models.Select(name => new TheoryDataRow<string>(name));

    /// <summary>Images that are not 28×28 of one channel, with every layer there is.</summary>
    private static readonly Dictionary<string, (Shape Input, Layer[] Layers)> _others = new()
    {
        ["32×32×3"] = (new(32, 32, 3),
        [
            new ConvLayer(null, 8, Activation.Relu), new MaxPoolLayer(), new ConvLayer(null, 6, Activation.LeakyRelu), new MaxPoolLayer(),
            new ConvLayer(null, 5, Activation.Tanh), new UpsampleLayer(Interpolation.Bilinear), new ConvLayer(null, 7, Activation.Relu),
            new UpsampleLayer(Interpolation.Nearest), new ConvLayer(null, 3, Activation.Sigmoid),
        ]),
        ["32×32×3, channels that suit Winograd"] = (new(32, 32, 3),
        [
            new ConvLayer(null, 32, Activation.Relu), new MaxPoolLayer(), new ConvLayer(null, 32, Activation.Relu),
            new UpsampleLayer(Interpolation.Bilinear), new ConvLayer(null, 3, Activation.Sigmoid),
        ]),
        ["7×5×2"] = (new(7, 5, 2), [new ConvLayer(null, 4, Activation.Tanh), new ConvLayer(null, 3, Activation.None), new ConvLayer(null, 2, Activation.Sigmoid)]),
        ["6×10×2"] = (new(6, 10, 2),
        [
            new ConvLayer(null, 3, Activation.Sigmoid), new MaxPoolLayer(), new ConvLayer(null, 4, Activation.Relu),
            new UpsampleLayer(Interpolation.Bilinear), new ConvLayer(null, 2, Activation.None),
        ]),
        ["6×10×2, pooling first"] = (new(6, 10, 2), [new MaxPoolLayer(), new UpsampleLayer(Interpolation.Bilinear), new ConvLayer(null, 2, Activation.Tanh)]),
        ["3×5×2, upsampling first"] = (new(3, 5, 2),
            [new UpsampleLayer(Interpolation.Bilinear), new ConvLayer(null, 3, Activation.Tanh), new MaxPoolLayer(), new ConvLayer(null, 2, Activation.None)]),
        ["5×7×1, pooled to 2×3"] = (new(5, 7, 1),
        [
            new ConvLayer(null, 2, Activation.Relu), new MaxPoolLayer(), new FlattenLayer(), new DenseLayer(null, 6, Activation.Tanh),
            new DenseLayer(null, 35, Activation.Sigmoid),
        ]),
        ["8×6×3, flattened"] = (new(8, 6, 3),
        [
            new FlattenLayer(), new DenseLayer(null, 9, Activation.LeakyRelu), new DenseLayer(null, 144, Activation.Sigmoid), new UnflattenLayer(new(8, 6, 3)),
        ]),
        ["8×4×3, flattened between"] = (new(8, 4, 3),
        [
            new ConvLayer(null, 4, Activation.Tanh), new MaxPoolLayer(), new FlattenLayer(), new DenseLayer(null, 5, Activation.Relu),
            new DenseLayer(null, 32, Activation.Tanh), new UnflattenLayer(new(4, 2, 4)), new UpsampleLayer(Interpolation.Nearest),
            new ConvLayer(null, 3, Activation.Sigmoid),
        ]),
    };

    public static IEnumerable<TheoryDataRow<string>> Networks =>
        ((string[])["model-fc", "model-conv-bilinear", "model-conv-nearest", .. _others.Keys]).Select(name => new TheoryDataRow<string>(name));

    public static IEnumerable<TheoryDataRow<string, string>> Others =>
        Rows.Of(ExecutorsUnderTest.Names.Where(name => name != ExecutorsUnderTest.Simulator), _others.Keys);

    [Theory]
    [MemberData(nameof(GoldenCases))]
    public void Trains_as_libtorch_does(string executor, string name)
    {
        var golden = Golden.Load(name);
        var rate = float.Parse(golden.Metadata["learning_rate"], CultureInfo.InvariantCulture);
        var input = golden.Tensors["input"];
        using var network = new NetworkUnderTest(executor, NetworkOf(name), input.Shape[0]);
        Dictionary<string, float[]> initial = Tensors(golden, "param."), gradients = Tensors(golden, "grad.");
        Assert.Equal(network.Parameters.Select(parameter => parameter.Name).Order(), initial.Keys.Order());
        Assert.All(network.Parameters, parameter => Assert.Equal(parameter.Shape, golden.Tensors["param." + parameter.Name].Shape));

        var expectedGradients = gradients.ToDictionary(item => item.Key, item => Reference.Exact(item.Value));
        CheckGradients(network.Gradients(initial, input.Values), expectedGradients);
        network.Write(initial);
        var steps = executor == ExecutorsUnderTest.Simulator ? 1 : 3; // seconds each there
        for (var step = 1; step <= steps; step++)
        {
            var loss = network.Step(input.Values, rate);
            var expected = (double)golden.Tensors[$"loss{step}"].Values[0];
            NetworkUnderTest.Check($"loss {step}", [(float)loss], [expected]);
            if (step == 1)
            {
                var output = Reference.Exact(golden.Tensors["output"].Values);
                NetworkUnderTest.Check("output", network.Output(input.Shape[0]), output);
            }

            var after = Tensors(golden, $"after{step}.");
            var updated = network.Read();
            foreach (var (tensor, values) in after)
            {
                var bound = step * rate * NetworkUnderTest.Bound(Reference.Exact(gradients[tensor]));
                Tolerance.Check($"{tensor} after {step}", updated[tensor], Reference.Exact(values), i =>
                    bound + 2 * step * Tolerance.Rounding * Math.Abs(values[i]));
            }

            Assert.True(step == 2 || after.Count == network.Parameters.Count || (step == 1 && after.Count == 0));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_double_precision_network_agrees_with_libtorch(string name)
    {
        var golden = Golden.Load(name);
        var input = golden.Tensors["input"];
        var parameters = Tensors(golden, "param.").ToDictionary(item => item.Key, item => Reference.Exact(item.Value));
        var reference = new ReferenceNetwork(NetworkOf(name), parameters, Reference.Exact(input.Values));
        Assert.Equal(reference.Loss, golden.Tensors["loss1"].Values[0], NetworkUnderTest.Bound([reference.Loss]));
        NetworkUnderTest.Check("output", golden.Tensors["output"].Values, reference.Output);
        CheckGradients(Tensors(golden, "grad."), reference.Gradients());
    }

    [Theory]
    [MemberData(nameof(Executors))]
    public void A_partial_mini_batch_counts_its_images_only(string executor)
    {
        foreach (var network in (Network[])[Network.FullyConnected, Network.Convolutional(Interpolation.Bilinear)])
        {
            using var subject = new NetworkUnderTest(executor, network, 10);
            var parameters = subject.InitialValues(1);
            subject.Write(parameters);
            subject.Step(Images(network, 10, 2), 0); // what a whole mini-batch leaves behind
            var images = Images(network, 3, 3);
            CheckAgainstReference(subject, parameters, images);
        }
    }

    /// <summary>Pooling of an odd height, behind a convolution, another pooling and an upsampled convolution.</summary>
    [Theory]
    [MemberData(nameof(Executors))]
    public void Pools_wherever_a_pooling_stands(string executor)
    {
        var network = new Network(
            "pools",
            "Pools",
            "Network of poolings",
            new(28, 28, 1),
            [
                new ConvLayer("a", 3, Activation.Relu),
                new MaxPoolLayer(),
                new MaxPoolLayer(),
                new ConvLayer("b", 2, Activation.Sigmoid),
                new MaxPoolLayer(),
                new UpsampleLayer(Interpolation.Nearest),
                new ConvLayer("c", 1, Activation.Relu),
                new MaxPoolLayer(),
                new DenseLayer("d", Digits.Size, Activation.Sigmoid),
            ],
            1);
        using var subject = new NetworkUnderTest(executor, network, 3);
        CheckAgainstReference(subject, subject.InitialValues(12), Images(network, 3, 13));
    }

    [Theory]
    [MemberData(nameof(Others))]
    public void Trains_on_images_of_any_shape(string executor, string name)
    {
        using var subject = new NetworkUnderTest(executor, NetworkOf(name), 3);
        var parameters = subject.InitialValues(14);
        CheckAgainstReference(subject, parameters, Images(subject.Network, 3, 15));
        CheckAgainstReference(subject, parameters, Images(subject.Network, 2, 16));
    }

    [Fact]
    public void The_simulator_trains_a_convolutional_network_on_one_image()
    {
        using var subject = new NetworkUnderTest(ExecutorsUnderTest.Simulator, Network.Convolutional(Interpolation.Bilinear), 1);
        CheckAgainstReference(subject, subject.InitialValues(4), Images(subject.Network, 1, 5));
    }

    [Theory]
    [MemberData(nameof(Executors))]
    public void Clips_the_norm_of_all_gradients(string executor)
    {
        const float rate = 8, norm = 1e-3f;
        using var subject = new NetworkUnderTest(executor, Network.Convolutional(Interpolation.Nearest), 2, norm);
        var parameters = subject.InitialValues(6);
        var images = Images(subject.Network, 2, 7);
        var gradients = subject.Reference(parameters, images).Gradients();
        var factor = Reference.ClipFactor([.. gradients.Values.SelectMany(values => values)], norm);
        Assert.InRange(factor, 1e-6, 0.5);
        subject.Write(parameters);
        subject.Step(images, rate);
        foreach (var (name, after) in subject.Read())
        {
            var bound = rate * factor * NetworkUnderTest.Bound(gradients[name]);
            var expected = parameters[name].Select((w, i) => w - rate * factor * gradients[name][i]).ToArray();
            Tolerance.Check(name, after, expected, i => bound + Tolerance.Rounding * Math.Abs(expected[i]));
        }
    }

    /// <summary>Central differences of the double-precision loss, with nothing of the backward pass in them.</summary>
    [Theory]
    [MemberData(nameof(Networks))]
    public void Gradients_are_the_slopes_of_the_loss(string name)
    {
        const double h = 1e-6;
        var network = NetworkOf(name);
        using var subject = new NetworkUnderTest(ExecutorsUnderTest.Main, network, 1);
        var parameters = subject.InitialValues(8);
        var images = Images(network, 1, 9);
        var gradients = subject.Gradients(parameters, images);
        var exact = parameters.ToDictionary(item => item.Key, item => Reference.Exact(item.Value));
        var random = new Random(10);
        foreach (var tensor in gradients.Keys.Concat(gradients.Keys).Concat(gradients.Keys).Take(20))
        {
            var index = random.Next(gradients[tensor].Length);
            var slope = (Loss(tensor, index, h) - Loss(tensor, index, -h)) / (2 * h);
            // The difference of two losses near 1 keeps 10 of 16 digits.
            var bound = NetworkUnderTest.Bound(Reference.Exact(gradients[tensor])) + 1e-9;
            Tolerance.Check($"{tensor}[{index}]", [gradients[tensor][index]], [slope], _ => bound);
        }

        double Loss(string tensor, int index, double step)
        {
            var moved = exact[tensor].ToArray();
            moved[index] += step;
            var parametersMoved = new Dictionary<string, double[]>(exact) { [tensor] = moved };
            return new ReferenceNetwork(network, parametersMoved, Reference.Exact(images)).Loss;
        }
    }

    private static void CheckAgainstReference(NetworkUnderTest subject, Dictionary<string, float[]> parameters, float[] images)
    {
        var reference = subject.Reference(parameters, images);
        CheckGradients(subject.Gradients(parameters, images), reference.Gradients());
        NetworkUnderTest.Check("output", subject.Output(images.Length / subject.Network.Input.Size), reference.Output);
    }

    private static void CheckGradients(Dictionary<string, float[]> actual, Dictionary<string, double[]> expected)
    {
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        foreach (var (tensor, values) in expected)
            NetworkUnderTest.Check(tensor + "'s gradient", actual[tensor], values);
    }

    /// <summary>(count, C, H, W)</summary>
    private static float[] Images(Network network, int count, int seed) => new Values(seed).Next(count * network.Input.Size, -0.42, 2.8);

    private static Dictionary<string, float[]> Tensors(Safetensors file, string prefix) => file.Tensors
        .Where(item => item.Key.StartsWith(prefix, StringComparison.Ordinal))
        .ToDictionary(item => item.Key[prefix.Length..], item => item.Value.Values);

    /// <summary>A file of an unknown model is a failure.</summary>
    private static Network NetworkOf(string name) => name switch
    {
        _ when name.StartsWith("model-fc", StringComparison.Ordinal) => Network.FullyConnected,
        _ when name.StartsWith("model-conv-bilinear", StringComparison.Ordinal) => Network.Convolutional(Interpolation.Bilinear),
        _ when name.StartsWith("model-conv-nearest", StringComparison.Ordinal) => Network.Convolutional(Interpolation.Nearest),
        _ when _others.TryGetValue(name, out var other) =>
            new(name, name, name, other.Input, other.Layers, 1) { Normalisation = Normalisation.None(other.Input.Channels) },
        _ => throw new InvalidDataException($"No test knows the model of {name}."),
    };
}
