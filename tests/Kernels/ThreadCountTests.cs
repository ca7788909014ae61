using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Cpu;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Models;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

[Collection(OnExecutors.Name)]
public class ThreadCountTests
{
    [Theory]
    [InlineData("fc")]
    [InlineData("conv")]
    public void Any_number_of_threads_gives_the_same_bits(string name)
    {
        var expected = Train(name, 1);
        foreach (var threads in (int[])[.. Enumerable.Range(2, 39), 48, 64, 96, 128, 192, 1000])
            Assert.True(expected.SequenceEqual(Train(name, threads)), $"{threads} threads give other bits than one.");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(CpuExecutor.MaximalThreads + 1)]
    public void Other_numbers_of_threads_are_an_error(int threads) =>
        Assert.Throws<ArgumentOutOfRangeException>(nameof(threads), () => CpuExecutor.Create(threads, SimdWidth.Bits256));

    private static List<int> Train(string name, int threads)
    {
        const int batch = 10, steps = 3;
        using var executor = CpuExecutor.Create(threads, SimdWidth.Bits256);
        using var model = new Model(executor, name == "fc" ? Network.FullyConnected : Network.Convolutional(Interpolation.Bilinear), batch);
        model.Initialise(1);
        using var feed = executor.CreateFeed(new Values(1).Bytes(batch * steps * Digits.Size), Digits.Size, batch);
        feed.SetLearningRates([0.1f, 0.1f, 0.1f]);
        model.Train(feed, 0, steps);
        return [.. model.Parameters.SelectMany(parameter => model.Read(parameter).Select(BitConverter.SingleToInt32Bits))];
    }
}
