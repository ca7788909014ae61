using System.Runtime.InteropServices;
using System.Security.Cryptography;
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Cpu;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Models;
using AutoencoderGpu.Tests.Kernels;
using Xunit;

namespace AutoencoderGpu.Tests.Models;

/// <summary>
/// The weights of both published models after 300 steps with seed 1, as checksums that commit a6bcffc gave. A change of the design must
/// not change a bit of them; a change that must, says which and why, and replaces them.
/// </summary>
[Collection(OnExecutors.Name)]
public class PinnedBitsTests
{
    private const int Steps = 300;
    private const int Batch = 10;
    private const int Count = 995; // the last mini-batch of an epoch has five images

    public static TheoryData<string, SimdWidth, string> Checksums => new()
    {
        { "fc", SimdWidth.Scalar, "B656AE21598612E2" },
        { "fc", SimdWidth.Bits128, "A2AF49944C94ADFE" },
        { "fc", SimdWidth.Bits256, "FD28357E98FA3FE3" },
        { "fc", SimdWidth.Bits512, "E223DBA170EFCCC7" },
        { "conv", SimdWidth.Scalar, "1A64A80E8BCFE66E" },
        { "conv", SimdWidth.Bits128, "1D9A6CE7A5C8925A" },
        { "conv", SimdWidth.Bits256, "EAB62FFAD254C5C7" },
        { "conv", SimdWidth.Bits512, "0C93B10C06835B0F" },
    };

    [Theory]
    [MemberData(nameof(Checksums))]
    public void Weights_after_300_steps_are_those_of_a6bcffc(string name, SimdWidth simd, string expected)
    {
        var isConvolutional = name == "conv";
        using var executor = CpuExecutor.Create(2, simd);
        using var model = new Model(
            executor, isConvolutional ? Network.Convolutional(Interpolation.Bilinear) : Network.FullyConnected, Batch, isConvolutional ? 0.25f : 0);
        model.Initialise(1);
        using var feed = executor.CreateFeed(Strokes(), Digits.Size, Batch);
        for (var (epoch, step) = (1, 0); step < Steps; epoch++)
        {
            var steps = Math.Min(feed.Steps, Steps - step);
            feed.SetOrder(RandomNumbers.OrderOf(1, epoch, Count));
            feed.SetLearningRates([.. Enumerable.Range(step, feed.Steps).Select(at => isConvolutional ? Math.Min(1, (at + 1) / 100f) : 1f)]);
            model.Train(feed, 0, steps);
            step += steps;
        }

        var weights = model.Parameters.SelectMany(model.Read).ToArray();
        Assert.All(weights, weight => Assert.True(float.IsFinite(weight)));
        Assert.Equal(expected, Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes(weights.AsSpan())))[..16]);
    }

    /// <summary>Images of a few bright strokes on black, as digits are: on noise both models would collapse.</summary>
    private static byte[] Strokes()
    {
        var random = new SplitMix64(2026);
        var pixels = new byte[Count * Digits.Size];
        for (var image = 0; image < Count; image++)
        {
            double x = random.Uniform(6, 22), y = random.Uniform(4, 12), dx = random.Uniform(-1, 1), dy = random.Uniform(0.3, 1);
            for (var step = 0; step < 40; step++)
            {
                if (step == 20)
                    (dx, dy) = (random.Uniform(-1, 1), random.Uniform(-1, 1));
                (x, y) = (Math.Clamp(x + dx / 2, 2, 25), Math.Clamp(y + dy / 2, 2, 25));
                var at = image * Digits.Size + (int)y * Digits.Side + (int)x;
                (pixels[at], pixels[at + 1], pixels[at + Digits.Side]) = (255, 200, 160);
            }
        }

        return pixels;
    }
}
