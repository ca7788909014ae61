using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Cpu;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Models;
using AutoencoderGpu.Tests.Kernels;
using Xunit;

namespace AutoencoderGpu.Tests.Models;

[Collection(OnExecutors.Name)]
public class ModelTests
{
    private const int Count = 25;
    private const int Batch = 10;
    private static readonly byte[] _images = new Values(11).Bytes(Count * Digits.Size);

    public static TheoryData<string> Networks => new("fc", "conv");

    [Theory]
    [InlineData("fc", 233_856, 234_512)]
    [InlineData("conv", 18_816, 55_681)]
    public void Has_as_many_parameters_as_the_original(string network, int encoder, int decoder)
    {
        using var model = NewModel(Main, network);
        Assert.Equal(encoder, model.Parameters.Where(parameter => parameter.IsEncoder).Sum(parameter => parameter.Count));
        Assert.Equal(decoder, model.Parameters.Where(parameter => !parameter.IsEncoder).Sum(parameter => parameter.Count));
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void Initial_values_are_uniform_in_the_bounds_of_the_fan_in(string network)
    {
        using var model = NewModel(Main, network);
        model.Initialise(7);
        foreach (var parameter in model.Parameters)
        {
            var values = model.Read(parameter);
            double bound = 1 / Math.Sqrt(parameter.FanIn), n = values.Length;
            Assert.True(values.All(value => Math.Abs(value) <= bound));
            // Five standard deviations of the mean of n uniform values, and of their mean square: variance bound⁴·(1/5 − 1/9).
            Assert.Equal(0, values.Average(value => (double)value), 5 * bound / Math.Sqrt(3 * n));
            Assert.Equal(bound * bound / 3, values.Average(value => (double)value * value), 5 * bound * bound * Math.Sqrt(4 / (45 * n)));
            if (n > 100)
                Assert.InRange(values.Distinct().Count(), 0.9 * n, n);
        }
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void A_seed_sets_all_initial_values_and_another_seed_others(string network)
    {
        using Model a = NewModel(Main, network), b = NewModel(Main, network);
        a.Initialise(7);
        b.Initialise(7);
        AssertSame(Bits(a), Bits(b));
        b.Initialise(8);
        Assert.False(Bits(a).SequenceEqual(Bits(b)));
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void Threads_and_chunks_do_not_change_a_bit(string network)
    {
        var expected = Train(Main, network, 3);
        AssertSame(expected, Train(Main, network, 3));
        AssertSame(expected, Train(Main, network, 1));
        foreach (var threads in (int[])[1, 3])
        {
            using var executor = CpuExecutor.Create(threads, SimdWidth.Bits256);
            AssertSame(expected, Train(executor, network, 2));
        }
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void Evaluation_gives_the_losses_of_training_and_changes_no_parameter(string network)
    {
        using var model = NewModel(Main, network);
        model.Initialise(3);
        using var feed = NewFeed(Main);
        var before = Bits(model);
        model.Evaluate(feed, 0, feed.Steps);
        var losses = feed.ReadLosses(0, feed.Steps);
        AssertSame(before, Bits(model));
        Assert.Equal(Count, losses.Length);
        feed.SetLearningRates(new float[feed.Steps]);
        model.Train(feed, 0, feed.Steps);
        AssertSame(before, Bits(model));
        Assert.Equal(losses, feed.ReadLosses(0, feed.Steps));

        var reconstructions = model.Reconstruct(feed, 2);
        Assert.Equal(Count - 2 * Batch, reconstructions.Length);
        for (var image = 0; image < reconstructions.Length; image++)
        {
            var pixels = reconstructions[image];
            Assert.Equal(Digits.Size, pixels.Length);
            Assert.True(pixels.All(pixel => pixel is >= 0 and <= 1));
            var bytes = _images.AsSpan((2 * Batch + image) * Digits.Size, Digits.Size).ToArray();
            var loss = pixels.Select((pixel, i) => Math.Pow(pixel - Normalisation.Mnist.Of(bytes[i]), 2)).Average();
            Assert.Equal(loss, losses[2 * Batch + image], loss * Tolerance.Gamma(Digits.Size));
        }
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void A_model_that_does_not_train_evaluates_to_the_same_bits_in_less_memory(string network)
    {
        using Model whole = NewModel(Main, network), model = NewModel(Main, network, trains: false);
        using var feed = NewFeed(Main);
        whole.Initialise(3);
        model.Initialise(3);
        AssertSame(Bits(whole), Bits(model));
        Assert.True(model.Compiled.ArenaLength < whole.Compiled.ArenaLength);
        Assert.Equal(whole.Reconstruct(feed, 2), model.Reconstruct(feed, 2));
        whole.Evaluate(feed, 0, feed.Steps);
        var losses = feed.ReadLosses(0, feed.Steps);
        model.Evaluate(feed, 0, feed.Steps);
        Assert.Equal(losses, feed.ReadLosses(0, feed.Steps));
        Assert.Contains("trains", Assert.Throws<InvalidOperationException>(() => model.Train(feed, 0, 1)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void Training_on_few_images_lowers_the_loss(string network)
    {
        using var model = NewModel(Main, network);
        model.Initialise(1);
        using var feed = Main.CreateFeed(_images.AsMemory(0, Batch * Digits.Size), Digits.Size, Batch);
        feed.SetLearningRates([0.5f]);
        var losses = new List<double>();
        for (var step = 0; step < 10; step++)
        {
            model.Train(feed, 0, 1);
            losses.Add(feed.ReadLosses(0, 1).Average());
        }

        Assert.Equal(losses.OrderDescending(), losses);
    }

    [Fact]
    public void A_feed_of_another_mini_batch_or_too_many_steps_is_an_error()
    {
        using var model = NewModel(Main, "fc");
        using var feed = Main.CreateFeed(_images, Digits.Size, Batch + 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Train(feed, 0, 1));
        using var right = NewFeed(Main);
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Train(right, 1, 3));
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void Weights_return_from_a_file(string network)
    {
        using Model model = NewModel(Main, network), other = NewModel(Main, network);
        model.Initialise(5);
        var path = Path.GetTempFileName();
        try
        {
            using (var stream = File.Create(path))
                Safetensors.Save(stream, Weights.Of(model), new Dictionary<string, string>());
            var tensors = Safetensors.Load(path).Tensors;
            Weights.CopyTo(other, tensors);
            AssertSame(Bits(model), Bits(other));
            Assert.Equal(network, NetworkFile.Read(new Dictionary<string, string>(), tensors.Keys, default)?.Name);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Weights_of_another_model_are_an_error_and_change_nothing()
    {
        using Model model = NewModel(Main, "fc"), conv = NewModel(Main, "conv");
        model.Initialise(5);
        var before = Bits(model);
        var right = Weights.Of(model).ToDictionary(item => item.Name, item => item.Tensor);
        var last = right.Keys.Last();
        Dictionary<string, Tensor>[] wrong =
        [
            Weights.Of(conv).ToDictionary(item => item.Name, item => item.Tensor),
            new(right.Where(item => item.Key != last)),
            new(right) { ["extra"] = new([1], [0]) },
            new(right) { [last] = new([28, 28], right[last].Values) },
            new(right) { ["fcEncoder2.weight"] = new([256, 128], right["fcEncoder2.weight"].Values) },
            [],
        ];
        foreach (var tensors in wrong)
        {
            var e = Assert.Throws<InvalidDataException>(() => Weights.CopyTo(model, tensors));
            Assert.DoesNotContain('\n', e.Message);
            AssertSame(before, Bits(model));
        }

        Assert.Null(NetworkFile.Read(new Dictionary<string, string>(), ["conv1.weight"], default));
    }

    private static Executor Main => ExecutorsUnderTest.Open(ExecutorsUnderTest.Main);

    private static Model NewModel(Executor executor, string network, bool trains = true) => new(
        executor, network == "fc" ? Network.FullyConnected : Network.Convolutional(Interpolation.Bilinear), Batch, trains: trains);

    private static Feed NewFeed(Executor executor) => executor.CreateFeed(_images, Digits.Size, Batch);

    /// <summary>The bits of all parameters and losses after two epochs that end in a partial mini-batch.</summary>
    private static List<int> Train(Executor executor, string network, int chunk)
    {
        using var model = NewModel(executor, network);
        model.Initialise(2);
        using var feed = NewFeed(executor);
        feed.SetLearningRates([0.1f, 0.2f, 0.3f]);
        var losses = new List<int>();
        for (var epoch = 0; epoch < 2; epoch++)
        {
            feed.SetOrder(RandomNumbers.OrderOf(2, epoch, Count));
            for (var step = 0; step < feed.Steps; step += chunk)
                model.Train(feed, step, Math.Min(chunk, feed.Steps - step));
            losses.AddRange(feed.ReadLosses(0, feed.Steps).Select(BitConverter.SingleToInt32Bits));
        }

        return [.. Bits(model), .. losses];
    }

    /// <summary>Of half a million numbers; Assert.Equal takes seconds.</summary>
    private static void AssertSame(List<int> expected, List<int> actual) => Assert.True(
        expected.SequenceEqual(actual),
        $"{expected.Zip(actual).Count(pair => pair.First != pair.Second)} of {expected.Count} values differ.");

    private static List<int> Bits(Model model) =>
        [.. model.Parameters.SelectMany(parameter => model.Read(parameter).Select(BitConverter.SingleToInt32Bits))];
}
