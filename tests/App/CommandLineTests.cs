using System.Text.Json.Nodes;
using AutoencoderGpu.App.Images;
using Xunit;

namespace AutoencoderGpu.Tests.App;

/// <summary>The commands beside training, and wrong usage of all of them.</summary>
public sealed class CommandLineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("--epochs", "0")]
    [InlineData("--epochs", "many")]
    [InlineData("--batch-size", "-1")]
    [InlineData("--learning-rate", "0")]
    [InlineData("--learning-rate", "NaN")]
    [InlineData("--learning-rate", "1e-46")]
    [InlineData("--clip-norm", "1e-46")]
    [InlineData("--seed", "-1")]
    [InlineData("--warm-up", "-1")]
    [InlineData("--clip-norm", "NaN")]
    [InlineData("--schedule", "triangle")]
    [InlineData("--threads", "0")]
    [InlineData("--threads", "5000")]
    [InlineData("--device", "-1")]
    [InlineData("--accelerator", "tpu")]
    [InlineData("--model", "3")]
    [InlineData("--train-limit", "0")]
    [InlineData("--no-such-option", "1")]
    [InlineData("--dataset", "imagenet")]
    public async Task A_wrong_option_is_one_line_that_names_it(string option, string value)
    {
        var result = await AutoencoderProcess.RunAsync("train", option, value, "--output", In("run"));
        Assert.Equal(2, result.ExitCode);
        Assert.Empty(result.Output);
        Assert.Contains(result.ErrorLines, line => line.Contains(option.Split('-')[^1], StringComparison.Ordinal));
        Assert.All(result.ErrorLines, line => Assert.StartsWith("error: ", line));
    }

    [Fact]
    public async Task Data_that_is_not_there_is_an_error() => TrainCommandTests.AssertError(
        4, In("nowhere"), await AutoencoderProcess.RunAsync("--data", In("nowhere"), "--output", In("run")));

    [Fact]
    public async Task Weights_that_are_not_there_or_not_weights_are_an_error()
    {
        TrainCommandTests.AssertError(4, In("none"), await AutoencoderProcess.RunAsync("eval", "--weights", In("none")));
        File.WriteAllText(In("text"), "these are not weights, but they are long enough to be read");
        TrainCommandTests.AssertError(4, In("text"), await AutoencoderProcess.RunAsync("reconstruct", "--weights", In("text")));
    }

    [Theory]
    [InlineData("fc")]
    [InlineData("conv")]
    public async Task Saved_weights_evaluate_to_the_loss_of_their_run_and_reconstruct(string model)
    {
        string[] data = ["--dataset", "synthetic", "--test-limit", "200", "--accelerator", "cpu"];
        var train = await AutoencoderProcess.RunAsync(
            ["train", .. data, "--model", model, "--train-limit", "300", "--epochs", "1", "--json", "--output", In("run")]);
        Assert.Equal(0, train.ExitCode);
        var weights = In("run", model, "best.safetensors");
        var eval = await AutoencoderProcess.RunAsync(["eval", .. data, "--weights", weights, "--json"]);
        Assert.Equal(0, eval.ExitCode);
        var (trained, evaluated) = (JsonNode.Parse(train.Output)!["models"]![0]!, JsonNode.Parse(eval.Output)!);
        Assert.Equal(model, (string)evaluated["model"]!);
        // Of dense layers eval takes more images at once, which sums in another order: equal to a float's precision, not in every bit.
        Assert.Equal((double)trained["best_test_loss"]!, (double)evaluated["test_loss"]!, tolerance: model == "fc" ? 1e-7 : 1e-9);
        Assert.Equal((double)trained["floor"]!, (double)evaluated["floor"]!, 12);

        using (var picture = new Picture(60, 40))
        {
            picture.FillRectangle(20, 5, 8, 30, 0x000000);
            picture.SavePng(In("digit.png"));
        }

        string[] reconstruct = ["reconstruct", "--weights", weights, "--accelerator", "cpu", "--output", In("out.png"), In("digit.png")];
        Assert.Equal(0, (await AutoencoderProcess.RunAsync(reconstruct)).ExitCode);
        Assert.True(Picture.ReadGrey(In("out.png")).Width > 56);
        TrainCommandTests.AssertError(2, "--force", await AutoencoderProcess.RunAsync(reconstruct));

        // The digit is the same in both pictures once it is cut out of them.
        using (var picture = new Picture(600, 800))
        {
            picture.FillRectangle(0, 0, 600, 800, 0x202830);
            picture.FillRectangle(40, 300, 80, 300, 0xF0F0E0);
            picture.SavePng(In("inverted.png"));
        }

        Assert.Equal(await LossesAsync("digit.png"), await LossesAsync("inverted.png"), (one, other) => Math.Abs(one - other) < 0.02);
        Assert.NotEqual(await LossesAsync("digit.png"), await LossesAsync("digit.png", "--as-is"));
        using (var picture = new Picture(50, 50))
            picture.SavePng(In("blank.png"));
        TrainCommandTests.AssertError(
            4, In("blank.png"), await AutoencoderProcess.RunAsync([.. reconstruct[..^1], "--force", In("digit.png"), In("blank.png")]));
        Assert.Single(await LossesAsync("blank.png", "--as-is"));

        async Task<double[]> LossesAsync(string image, params string[] options)
        {
            var result = await AutoencoderProcess.RunAsync([.. reconstruct[..^1], "--force", "--json", In(image), .. options]);
            Assert.Equal(0, result.ExitCode);
            return [.. JsonNode.Parse(result.Output)!["losses"]!.AsArray().Select(loss => (double)loss!)];
        }
    }

    [Fact]
    public async Task Weights_tell_how_their_model_upsamples()
    {
        string[] data = ["--dataset", "synthetic", "--test-limit", "50", "--accelerator", "cpu"];
        var train = await AutoencoderProcess.RunAsync(
            ["train", .. data, "--model", "conv", "--upsample", "nearest", "--train-limit", "300", "--epochs", "1", "--json", "--output", In("run")]);
        var expected = (double)JsonNode.Parse(train.Output)!["models"]![0]!["best_test_loss"]!;
        string[] eval = ["eval", .. data, "--weights", In("run", "conv", "best.safetensors"), "--json"];
        var told = await AutoencoderProcess.RunAsync(eval);
        var overruled = await AutoencoderProcess.RunAsync([.. eval, "--upsample", "bilinear"]);
        Assert.Equal(expected, (double)JsonNode.Parse(told.Output)!["test_loss"]!, 9);
        Assert.NotEqual(expected, (double)JsonNode.Parse(overruled.Output)!["test_loss"]!, 4);
    }

    [Fact]
    public async Task Data_says_what_is_missing_where()
    {
        Directory.CreateDirectory(In("data"));
        var result = await AutoencoderProcess.RunAsync("data", "--data", In("data"), "--json");
        Assert.Equal(0, result.ExitCode);
        var mnist = JsonNode.Parse(result.Output)!["datasets"]!.AsArray().Single(set => (string)set!["dataset"]! == "mnist")!;
        Assert.Equal(In("data"), (string)mnist["origin"]!);
        Assert.Equal(4, mnist["missing"]!.AsArray().Count);
    }

    [Fact]
    public async Task Bench_reports_each_model_and_instruction()
    {
        var result = await AutoencoderProcess.RunAsync("bench", "--accelerator", "cpu", "--steps", "2", "--json");
        Assert.Equal(0, result.ExitCode);
        var models = JsonNode.Parse(result.Output)!["models"]!.AsArray();
        Assert.Equal(["fc", "conv"], models.Select(model => (string)model!["model"]!));
        Assert.All(models, model => Assert.True((double)model!["us_per_step"]! > 0));
        Assert.Equal(10, models[0]!["operations"]!.AsArray().Count);
        // What is measured never passes its peak by more than an algorithm with fewer operations may.
        Assert.All(models, model => Assert.InRange((double)model!["peak_share"]!, 1e-6, 3));
        Assert.All(models[0]!["operations"]!.AsArray(), operation => Assert.Equal(
            (double)operation!["gflops"]! / (double)models[0]!["peak_gflops"]!, (double)operation["peak_share"]!, 9));
        Assert.All(models, model => Assert.True((double)model!["memory_gb_per_second"]! > 0));
    }

    [Fact]
    public async Task Bench_may_leave_the_instructions_out()
    {
        var result = await AutoencoderProcess.RunAsync("bench", "--accelerator", "cpu", "--model", "fc", "--steps", "2", "--whole-steps", "--json");
        Assert.Equal(0, result.ExitCode);
        var model = JsonNode.Parse(result.Output)!["models"]!.AsArray().Single()!;
        Assert.True((double)model["us_per_step"]! > 0);
        Assert.Empty(model["operations"]!.AsArray());
    }

    [Fact]
    public async Task Help_gives_examples_and_exit_codes()
    {
        var result = await AutoencoderProcess.RunAsync("--help");
        Assert.Equal(0, result.ExitCode);
        foreach (var expected in new[] { "Examples", "--accelerator", "compare", "reconstruct", "130" })
            Assert.Contains(expected, result.Output, StringComparison.Ordinal);
    }

    private string In(params string[] parts) => Path.Combine([_folder.Path, .. parts]);
}
