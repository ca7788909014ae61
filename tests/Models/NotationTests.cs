using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Operations;
using AutoencoderGpu.Models;
using Xunit;

namespace AutoencoderGpu.Tests.Models;

public class NotationTests
{
    private static readonly Shape _digit = new(28, 28, 1);
    private static readonly Shape _colour = new(32, 32, 3);

    [Fact]
    public void Dashes_are_dense_layers_around_the_smallest()
    {
        var network = Notation.Parse("784-256-64-784", _digit, Interpolation.Bilinear);
        Assert.Equal(
            [new DenseLayer(null, 256, Activation.Relu), new DenseLayer(null, 64, Activation.Relu), new DenseLayer(null, 784, Activation.Sigmoid)], network.Layers);
        Assert.Equal((2, "784-256-64-784", "784-256-64-784"), (network.EncoderLayers, network.Name, Notation.Of(network)));

        network = Notation.Parse(" 3072 - 100 - 3072 ", _colour, Interpolation.Bilinear);
        Assert.Equal(
            [new FlattenLayer(), new DenseLayer(null, 100, Activation.Relu), new DenseLayer(null, 3072, Activation.Sigmoid), new UnflattenLayer(_colour)], network.Layers);
        Assert.Equal((2, "3072-100-3072"), (network.EncoderLayers, Notation.Of(network)));
    }

    [Fact]
    public void Words_are_layers_and_a_bar_marks_the_code()
    {
        var network = Notation.Parse(
            "conv 16 relu, pool, Conv 8 LeakyReLU,pool, flatten, dense 32 | dense 392 tanh, unflatten 7x7x8, up nearest, conv 16 relu, up, conv 1 sigmoid",
            _digit, Interpolation.Bilinear);
        Assert.Equal(
            [
                new ConvLayer(null, 16, Activation.Relu), new MaxPoolLayer(), new ConvLayer(null, 8, Activation.LeakyRelu), new MaxPoolLayer(), new FlattenLayer(),
                new DenseLayer(null, 32, Activation.None), new DenseLayer(null, 392, Activation.Tanh), new UnflattenLayer(new(7, 7, 8)),
                new UpsampleLayer(Interpolation.Nearest), new ConvLayer(null, 16, Activation.Relu), new UpsampleLayer(Interpolation.Bilinear),
                new ConvLayer(null, 1, Activation.Sigmoid),
            ],
            network.Layers);
        Assert.Equal(6, network.EncoderLayers);
        Assert.Equal(
            ["encoder1", "encoder2", "encoder3", "decoder1", "decoder2", "decoder3"],
            Compiler.Compile(network, new(1)).Parameters.Select(parameter => parameter.Name.Split('.')[0]).Distinct());
        Assert.Matches("^[a-z0-9_-]{1,40}$", network.Name);
    }

    [Theory]
    [InlineData("784-64-784")]
    [InlineData("dense 64 relu | dense 784")]
    [InlineData("dense 64 relu, dense 8 | dense 64 tanh, dense 784 sigmoid")]
    [InlineData("conv 4 relu, pool | up nearest, conv 1 sigmoid")]
    [InlineData("conv 1 leakyrelu |")]
    [InlineData("pool, up bilinear | conv 1")]
    public void A_text_that_a_network_is_written_as_makes_it_again(string text)
    {
        var network = Notation.Parse(text, _digit, Interpolation.Bilinear);
        Assert.Equal(text, Notation.Of(network));
        var again = Notation.Parse(Notation.Of(network), _digit, Interpolation.Nearest);
        Assert.Equal(network.Layers, again.Layers);
        Assert.Equal((network.Name, network.EncoderLayers), (again.Name, again.EncoderLayers));
    }

    [Fact]
    public void The_published_networks_can_be_written()
    {
        Assert.Equal("784-256-128-256-784", Notation.Of(Network.FullyConnected));
        Assert.Equal(
            "conv 32 relu, pool, conv 64 relu, pool | conv 64 relu, up nearest, conv 32 relu, up nearest, conv 1 sigmoid",
            Notation.Of(Network.Convolutional(Interpolation.Nearest)));
    }

    [Fact]
    public void Different_networks_have_different_names()
    {
        string[] texts =
        [
            "784-64-784", "784-32-784", "dense 64 | dense 784 sigmoid", "dense 64, dense 784 sigmoid |", "dense 64 relu | dense 784",
            "conv 16 relu, pool, conv 8 relu, pool | up, conv 8 relu, up, conv 1 sigmoid", "conv 16 relu, pool, conv 8 relu, pool | up, conv 9 relu, up, conv 1 sigmoid",
        ];
        Assert.Distinct(texts.Select(text => Notation.Parse(text, _digit, Interpolation.Bilinear).Name));
    }

    [Theory]
    [InlineData("", "a layer is missing")]
    [InlineData("dense 64,", "a layer is missing")]
    [InlineData("dense, dense 784", "the number of outputs is missing")]
    [InlineData("dense 0, dense 784", "»0«")]
    [InlineData("dense -3, dense 784", "»-3«")]
    [InlineData("dense 99999999999, dense 784", "»99999999999«")]
    [InlineData("dense 64 rellu, dense 784", "'rellu' is no activation; there are none, relu, sigmoid, leakyrelu, tanh")]
    [InlineData("dense 64 2, dense 784", "'2' is no activation")]
    [InlineData("dense 64 relu relu, dense 784", "'relu' is too much")]
    [InlineData("lstm 64, dense 784", "'lstm' is no layer; there are conv, dense, flatten, pool, unflatten, up")]
    [InlineData("conv 4, pool | up cubic, conv 1", "'cubic' is not bilinear or nearest")]
    [InlineData("dense 64 | dense 32 | dense 784", "there is one code")]
    [InlineData("conv 4, pool, pool, pool, pool, pool | up, conv 1", "Pooling takes maps of at least 2×2 pixels, not 4")]
    [InlineData("conv 4, dense 10 | dense 784", "A dense layer of 10 takes flat values, not 28×28×4")]
    [InlineData("dense 64 | dense 783", "it ends in 783, and an image is 28×28×1: the last layer is dense 784")]
    [InlineData("conv 4, pool | conv 1", "it ends in 14×14×1, and an image is 28×28×1: what pools take away")]
    [InlineData("conv 4 | conv 3", "the last layer is conv 1")]
    [InlineData("flatten, dense 8 | unflatten 2x2x3, dense 784", "Unflatten to 2×2×3 takes 12 flat values, not 8")]
    [InlineData("flatten, dense 8 | unflatten 2x4, dense 784", "'2x4' is no shape")]
    [InlineData("pool | up", "no layer has weights")]
    [InlineData("conv 4 | conv 1 sigmoid, flatten", "unflatten 28x28x1 comes last")]
    [InlineData("conv 16777216, conv 1", "this is too large")]
    [InlineData("100-64-100", "784 for 28×28×1")]
    [InlineData("784-784", "with the code between")]
    [InlineData("784-64-x", "'x' is no number of values")]
    [InlineData("784-64-784-", "the number of values is missing")]
    [InlineData("784--64-784", "the number of values is missing")]
    [InlineData("784 64 784", "'64' is too much; sizes have dashes between them")]
    [InlineData("784-64-784 tanh", "'tanh' is too much")]
    public void What_is_wrong_is_pointed_at(string text, string expected)
    {
        var e = Assert.Throws<NotationException>(() => Notation.Parse(text, _digit, Interpolation.Bilinear));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        Assert.InRange(e.Start, 0, text.Length);
    }

    [Fact]
    public void Any_text_is_a_network_or_an_error_in_a_line()
    {
        var random = new Random(5);
        string[] words = ["dense", "conv", "pool", "up", "flatten", "unflatten", "7x7x8", "64", "784", "relu", "sigmoid", ",", "|", "-", " ", "é", "\t", "999999999", "x"];
        for (var i = 0; i < 20_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => words[random.Next(words.Length)] + (random.Next(3) > 0 ? " " : "")));
            try
            {
                var network = Notation.Parse(text, _digit, Interpolation.Bilinear);
                Assert.Equal(network.Layers, Notation.Parse(Notation.Of(network), _digit, Interpolation.Bilinear).Layers);
            }
            catch (NotationException e)
            {
                Assert.NotEmpty(e.Message);
            }
        }
    }

    [Fact]
    public void A_weights_file_says_which_network_it_is_of()
    {
        var network = Notation.Parse("conv 4 relu, pool, flatten, dense 8 | dense 768, unflatten 16x16x3, up", _colour, Interpolation.Nearest) with
        {
            Loss = Loss.All.Single(loss => loss.Name == "bce"),
            Normalisation = new([0.1, 0.2, 0.3], [0.4, 0.5, 0.6]),
        };
        var metadata = NetworkFile.Of(network);
        var read = NetworkFile.Read(metadata, ["encoder1.weight"], null)!;
        Assert.Equal(network.Layers, read.Layers);
        Assert.Equal((network.Name, network.Input, network.EncoderLayers, network.Loss), (read.Name, read.Input, read.EncoderLayers, read.Loss));
        Assert.Equal(network.Normalisation, read.Normalisation);
        Assert.Equal(network.Layers, NetworkFile.Read(metadata, ["fcEncoder1.weight"], null)!.Layers);
        // Tensors of one published network do not make the other's notation theirs.
        var conv = Network.Convolutional(Interpolation.Nearest);
        Assert.Equal(conv.Layers.Count, NetworkFile.Read(NetworkFile.Of(conv), ["fcEncoder1.weight"], null)!.Layers.Count);
        foreach (var (key, value) in ((string, string)[])[("notation", "lstm 4"), ("input", "0x1x2"), ("loss", "l3"), ("mean", "1 2"), ("deviation", "0 0 0"), ("mean", "x y z")])
        {
            var e = Assert.Throws<InvalidDataException>(() => NetworkFile.Read(new Dictionary<string, string>(metadata) { [key] = value }, ["encoder1.weight"], null));
            Assert.DoesNotContain('\n', e.Message);
        }
    }
}
