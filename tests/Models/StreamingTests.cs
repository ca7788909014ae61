using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Gpu;
using AutoencoderGpu.Models;
using AutoencoderGpu.Tests.Kernels;
using ILGPU.Runtime.OpenCL;
using Xunit;

namespace AutoencoderGpu.Tests.Models;

/// <summary>Data sets that do not fit into the device's memory.</summary>
[Collection(OnExecutors.Name)]
public class StreamingTests
{
    private const int Batch = 10;
    private const int Count = 705; // the last mini-batch is half a one
    private static readonly byte[] _images = new Values(11).Bytes(Count * Digits.Size);

    public static IEnumerable<TheoryDataRow<string, string>> Networks => Rows.Of(ExecutorsUnderTest.NamesForModels, ["fc", "conv"]);

    public static IEnumerable<TheoryDataRow<string>> Executors =>
        ExecutorsUnderTest.NamesForModels.Select(name => Rows.OnItsExecutor(new TheoryDataRow<string>(name), name));

    [Theory]
    [MemberData(nameof(Networks))]
    public void Images_that_are_streamed_give_the_same_bits(string executor, string network)
    {
        // Of what is left an eighth is three mini-batches, so that parts begin anywhere in the chunks of steps below.
        CheckBits(executor, network, Batch, Count, batchesOfPart: 3, chunk: 7, epochs: 2);
    }

    [Theory]
    [MemberData(nameof(Executors))]
    public void Images_that_are_streamed_to_graphs_of_steps_give_the_same_bits(string executor)
    {
        // Nine parts of 40 mini-batches, each longer than a graph, by turns in buffers for which CUDA records graphs of their own.
        CheckBits(executor, "fc", batch: 2, count: 641, batchesOfPart: 40, chunk: int.MaxValue, epochs: 1);
    }

    [Theory]
    [MemberData(nameof(Executors))]
    public void A_data_set_leaves_room_for_another(string name)
    {
        using var executor = ExecutorsUnderTest.OpenAnother(name);
        executor.MemoryLimit = _images.Length + 12 * Count + 1000;
        using var first = executor.CreateFeed(_images, Digits.Size, Batch);
        using var second = executor.CreateFeed(_images.AsMemory(0, Count / 6 * Digits.Size), Digits.Size, Batch);
        Assert.Equal((true, false), (first.IsStreamed, second.IsStreamed));
    }

    [Fact]
    [Trait("Executor", "OpenCL")]
    public void Images_for_which_a_driver_refuses_memory_are_streamed()
    {
        using var executor = ExecutorsUnderTest.OpenAnother("OpenCL");
        var device = (CLDevice)executor.Accelerator.Device;
        var most = device.GetDeviceInfo<long>(CLDeviceInfoType.CL_DEVICE_MAX_MEM_ALLOC_SIZE);
        Assert.SkipUnless(
            most < Math.Min(1 << 29, device.MemorySize / 2),
            $"The device gives {most} bytes of {device.MemorySize} in one piece, more than a test should take; POCL_MEMORY_LIMIT=1 lowers that.");
        using var feed = executor.CreateFeed(new byte[(most / Digits.Size + 1) * Digits.Size], Digits.Size, Batch);
        Assert.True(feed.IsStreamed);
    }

    [Theory]
    [MemberData(nameof(Executors))]
    public void Memory_for_less_than_two_mini_batches_is_an_error(string name)
    {
        using var executor = ExecutorsUnderTest.OpenAnother(name);
        executor.MemoryLimit = 2 * Batch * Digits.Size;
        var e = Assert.Throws<AcceleratorException>(() => executor.CreateFeed(_images, Digits.Size, Batch));
        Assert.DoesNotContain('\n', e.Message);
        // What the attempt had taken was given back.
        executor.CreateArena((2 * Batch * Digits.Size / sizeof(float)) - 80).Dispose();
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

    private static void CheckBits(string executor, string network, int batch, int count, int batchesOfPart, int chunk, int epochs)
    {
        var memory = 8 * batchesOfPart * batch * Digits.Size + 10_000;
        var streamed = Train(executor, network, batch, count, memory, chunk, epochs);
        var resident = Train(executor, network, batch, count, memoryForImages: null, int.MaxValue, epochs);
        Assert.True(streamed.SequenceEqual(resident), $"{streamed.Zip(resident).Count(pair => pair.First != pair.Second)} values differ.");
    }

    /// <summary>The bits of all parameters and losses after some epochs.</summary>
    private static int[] Train(string name, string network, int batch, int count, int? memoryForImages, int chunk, int epochs)
    {
        using var executor = ExecutorsUnderTest.OpenAnother(name);
        var definition = network == "fc" ? Network.FullyConnected : Network.Convolutional(Interpolation.Bilinear);
        if (memoryForImages is { } bytes)
        {
            var others = 1000 + Compiler.Compile(definition, new(batch, 0, executor.GradientSplits)).ArenaLength + 2 * count + count / batch;
            executor.MemoryLimit = sizeof(float) * (long)others + bytes;
        }

        using var model = new Model(executor, definition, batch);
        model.Initialise(2);
        using var feed = executor.CreateFeed(_images.AsMemory(0, count * Digits.Size), Digits.Size, batch);
        Assert.Equal(memoryForImages is not null, feed.IsStreamed);
        feed.SetLearningRates([.. Enumerable.Range(0, feed.Steps).Select(step => 0.001f * step)]);
        var losses = new List<float>();
        for (var epoch = 0; epoch < epochs; epoch++)
        {
            feed.SetOrder(RandomNumbers.OrderOf(2, epoch, count));
            for (var step = 0; step < feed.Steps; step += Math.Min(chunk, feed.Steps))
                model.Train(feed, step, Math.Min(chunk, feed.Steps - step));
            losses.AddRange(feed.ReadLosses(0, feed.Steps));
        }

        // A driver that refuses graphs would be right, and slow.
        if (executor.Kind == AcceleratorKind.Cuda && chunk > StepGraphs.Length)
            Assert.True(executor.StepsPerLaunch > 1, "No steps were replayed.");
        return [.. model.Parameters.SelectMany(model.Read).Concat(losses).Select(BitConverter.SingleToInt32Bits)];
    }
}
