using System.Text.Json.Nodes;
using Xunit;

namespace AutoencoderGpu.Tests.App;

/// <summary>Models as text, losses and optimisers, from the command line to the files.</summary>
public sealed class ModelOptionsTests : IDisposable
{
    private const string Mixed = "conv 4 leakyrelu, pool, flatten, dense 6 tanh | dense 196 relu, unflatten 14x14x1, up nearest, conv 1 sigmoid";

    private static readonly string[] _small =
        ["--accelerator", "cpu", "--dataset", "synthetic", "--train-limit", "130", "--test-limit", "30", "--batch-size", "20"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("adam", "bce")]
    [InlineData("momentum", "mse")]
    public async Task A_resumed_run_has_the_bits_of_one_that_was_not_stopped(string optimiser, string loss)
    {
        // From other seeds the mixed model dies within three epochs.
        string[] options = [.. _small, "--model", Mixed, "--model", "784-16-784", "--optimizer", optimiser, "--loss", loss, "--seed", "3"];
        string whole = _folder.File("whole"), parts = _folder.File("parts");
        Assert.Equal(0, (await AutoencoderProcess.RunAsync([.. options, "--epochs", "3", "--output", whole])).ExitCode);
        Assert.Equal(0, (await AutoencoderProcess.RunAsync([.. options, "--epochs", "1", "--output", parts])).ExitCode);
        Assert.Equal(0, (await AutoencoderProcess.RunAsync(["--resume", "--epochs", "3", "--output", parts])).ExitCode);
        var models = Directory.GetDirectories(whole).Select(Path.GetFileName).Where(name => name != "logs").ToArray();
        Assert.Equal(2, models.Length);
        foreach (var model in models)
            Assert.Equal(File.ReadAllBytes(Path.Combine(whole, model!, "last.safetensors")), File.ReadAllBytes(Path.Combine(parts, model!, "last.safetensors")));
    }

    [Fact]
    public async Task Weights_say_which_model_and_loss_they_are_of()
    {
        var run = _folder.File("run");
        var trained = await AutoencoderProcess.RunAsync([.. _small, "--model", Mixed, "--loss", "bce", "--normalise", "none", "--epochs", "1", "--json", "--output", run]);
        Assert.Equal(0, trained.ExitCode);
        var model = JsonNode.Parse(trained.Output)!["models"]![0]!;
        var weights = Path.Combine(run, (string)model["model"]!, "best.safetensors");
        Assert.True(File.Exists(Path.Combine(run, $"reconstructions-{(string)model["model"]!}.png")));
        var evaluated = await AutoencoderProcess.RunAsync(
            "eval", "--weights", weights, "--accelerator", "cpu", "--dataset", "synthetic", "--test-limit", "30", "--batch-size", "20", "--json");
        Assert.Equal(0, evaluated.ExitCode);
        var result = JsonNode.Parse(evaluated.Output)!;
        Assert.Equal(((string)model["model"]!, (string)model["notation"]!, "bce"), ((string)result["model"]!, (string)result["notation"]!, (string)result["loss"]!));
        Assert.Equal((double)model["test_loss"]!, (double)result["test_loss"]!, 1e-6);
        Assert.Equal((double)model["floor"]!, (double)result["floor"]!, 12);
        var drawn = await AutoencoderProcess.RunAsync(
            "reconstruct", "--weights", weights, "--accelerator", "cpu", "--dataset", "synthetic", "--output", _folder.File("a.png"));
        Assert.Equal(0, drawn.ExitCode);
    }

    [Fact]
    public async Task Several_models_are_compared_in_one_table_and_plot()
    {
        var folder = _folder.File("compared");
        var result = await AutoencoderProcess.RunAsync([
            "compare", .. _small, "--model", "784-4-784", "--model", "784-16-784", "--model", "fc", "--optimizer", "adam", "--epochs", "2", "--json", "--output", folder]);
        Assert.Equal(0, result.ExitCode);
        var groups = JsonNode.Parse(result.Output)!["groups"]!.AsArray();
        Assert.Equal(["784-4-784", "784-16-784", "fc"], groups.Select(group => (string)group!["model"]!));
        Assert.All(groups, group => Assert.Equal(0.001, (double)group!["learning_rate"]!));
        Assert.True(File.Exists(Path.Combine(folder, "comparison.png")));
    }

    [Fact]
    public async Task Summary_shows_layers_shapes_and_parameters_and_trains_nothing()
    {
        var result = await AutoencoderProcess.RunAsync("--summary", "--model", "both", "--model", Mixed, "--json", "--output", _folder.File("none"));
        Assert.Equal(0, result.ExitCode);
        Assert.False(Directory.Exists(_folder.File("none")));
        var models = JsonNode.Parse(result.Output)!["models"]!.AsArray();
        Assert.Equal([468_368, 74_497, 40 + 4710 + 1372 + 10], models.Select(model => (int)model!["parameters"]!));
        Assert.Equal([28, 28, 1], models[2]!["layers"]!.AsArray()[^1]!["output"]!.AsArray().Select(size => (int)size!));
    }

    [Theory]
    [InlineData("no activation; there are none, relu", "--model", "dense 8 rellu, dense 784")]
    [InlineData("known by name are fc, conv and both", "--model", "fcc")]
    [InlineData("names fc twice", "--model", "both", "--model", "fc")]
    [InlineData("--loss 'l1' is unknown; known are mse, bce", "--loss", "l1")]
    [InlineData("--optimizer 'lion' is unknown; known are sgd, adam, adamw, momentum", "--optimizer", "lion")]
    [InlineData("--optimizer sgd: It takes no momentum", "--momentum", "0.5")]
    [InlineData("--optimizer adam: It takes no momentum", "--optimizer", "adam", "--momentum", "0.5")]
    [InlineData("Momentum is from 0 to below 1", "--optimizer", "momentum", "--momentum", "1")]
    [InlineData("--optimizer sgd: It takes no weight decay", "--weight-decay", "0.1")]
    [InlineData("--weight-decay takes a number from 0 up", "--optimizer", "adam", "--weight-decay", "-1")]
    [InlineData("--normalise 'mean' is unknown", "--normalise", "mean")]
    [InlineData("--loss bce wants outputs from 0 to 1, so its last layer ends in sigmoid", "--loss", "bce", "--model", "dense 8 | dense 784 relu")]
    public async Task Wrong_models_and_numbers_are_said_in_a_line(string expected, params string[] arguments)
    {
        var output = _folder.File("run");
        foreach (var command in (string[])["train", "compare"])
            TrainCommandTests.AssertError(2, expected, await AutoencoderProcess.RunAsync([command, "--dataset", "synthetic", "--output", output, .. arguments]));
        Assert.False(Directory.Exists(output));
    }
}
