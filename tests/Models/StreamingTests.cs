using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Models;
using AutoencoderGpu.Tests.Kernels;
using Xunit;

namespace AutoencoderGpu.Tests.Models;

/// <summary>Data sets that do not fit into the device's memory.</summary>
[Collection(OnExecutors.Name)]
public class StreamingTests
{
    private const int Batch = 10;
    private const int Count = 705; // the last mini-batch is half a one
    private const int Epochs = 2;
    private static readonly byte[] _images = new Values(11).Bytes(Count * Network.ImageSize);

    public static IEnumerable<TheoryDataRow<string, string>> Networks => Rows.Of(ExecutorsUnderTest.NamesForModels, ["fc", "conv"]);

    public static IEnumerable<TheoryDataRow<string>> Executors =>
        ExecutorsUnderTest.NamesForModels.Select(name => Rows.OnItsExecutor(new TheoryDataRow<string>(name), name));

    [Theory]
    [MemberData(nameof(Networks))]
    public void Images_that_are_streamed_give_the_same_bits(string executor, string network)
    {
        // Of what is left an eighth is three mini-batches, so that parts begin anywhere in the chunks of steps below.
        var streamed = Train(executor, network, memoryForImages: 8 * 3 * Batch * Network.ImageSize + 10_000, chunk: 7, isStreamed: true);
        var resident = Train(executor, network, memoryForImages: null, chunk: Count, isStreamed: false);
        Assert.True(streamed.SequenceEqual(resident), $"{streamed.Zip(resident).Count(pair => pair.First != pair.Second)} values differ.");
    }

    [Theory]
    [MemberData(nameof(Executors))]
    public void Memory_for_less_than_two_mini_batches_is_an_error(string name)
    {
        using var executor = ExecutorsUnderTest.OpenAnother(name);
        executor.MemoryLimit = 2 * Batch * Network.ImageSize;
        var e = Assert.Throws<AcceleratorException>(() => executor.CreateFeed(_images, Network.ImageSize, Batch));
        Assert.DoesNotContain('\n', e.Message);
        // What the attempt had taken was given back.
        executor.CreateArena((2 * Batch * Network.ImageSize / sizeof(float)) - 80).Dispose();
    }

    [Theory]
    [MemberData(nameof(Executors))]
    public void Memory_that_is_given_back_may_be_taken_again(string name)
    {
        using var executor = ExecutorsUnderTest.OpenAnother(name);
        executor.MemoryLimit = 1 << 20;
        for (var i = 0; i < 3; i++)
        {
            using var arena = executor.CreateArena(200_000);
            Assert.Throws<AcceleratorException>(() => executor.CreateArena(200_000));
        }
    }

    /// <summary>The bits of all parameters and losses after some epochs.</summary>
    private static int[] Train(string name, string network, int? memoryForImages, int chunk, bool isStreamed)
    {
        using var executor = ExecutorsUnderTest.OpenAnother(name);
        var definition = network == "fc" ? Network.FullyConnected : Network.Convolutional(Interpolation.Bilinear);
        if (memoryForImages is { } bytes)
        {
            var others = 1000 + Compiler.Compile(definition, new(Batch, 0, executor.GradientSplits)).ArenaLength + 2 * Count + Count / Batch;
            executor.MemoryLimit = sizeof(float) * (long)others + bytes;
        }

        using var model = new Model(executor, definition, Batch);
        model.Initialise(2);
        using var feed = executor.CreateFeed(_images, Network.ImageSize, Batch);
        Assert.Equal(isStreamed, feed.IsStreamed);
        feed.SetLearningRates([.. Enumerable.Range(0, feed.Steps).Select(step => 0.001f * step)]);
        var losses = new List<float>();
        for (var epoch = 0; epoch < Epochs; epoch++)
        {
            feed.SetOrder(RandomNumbers.OrderOf(2, epoch, Count));
            for (var step = 0; step < feed.Steps; step += chunk)
                model.Train(feed, step, Math.Min(chunk, feed.Steps - step));
            losses.AddRange(feed.ReadLosses(0, feed.Steps));
        }

        // A driver that refuses graphs would be right, and slow.
        if (executor.Kind == AcceleratorKind.Cuda && !isStreamed)
            Assert.True(executor.StepsPerLaunch > 1, "No steps were replayed.");
        return [.. model.Parameters.SelectMany(model.Read).Concat(losses).Select(BitConverter.SingleToInt32Bits)];
    }
}
