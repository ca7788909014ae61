using AutoencoderGpu.Kernels.Cpu;
using AutoencoderGpu.Kernels.Devices;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Simd;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

/// <summary>The loops by which the machine is measured do what they are counted for, in every width.</summary>
public sealed class PeakTests
{
    [Fact]
    public void Multiply_adds_do_all_of_their_operations()
    {
        Check<SimdScalar>();
        Check<Simd128>();
        Check<Simd256>();
        Check<Simd512>();

        static void Check<V>()
            where V : unmanaged, ISimd<V> => Assert.Equal(7 * 3f * 5f * Peak<V>.FlopsOfRound / 2, Peak<V>.MultiplyAdds(7, 3f, 5f));
    }

    [Fact]
    public void The_triad_writes_every_element()
    {
        Check<SimdScalar>();
        Check<Simd128>();
        Check<Simd256>();
        Check<Simd512>();

        static unsafe void Check<V>()
            where V : unmanaged, ISimd<V>
        {
            const int count = 96;
            float* target = stackalloc float[count], a = stackalloc float[count], b = stackalloc float[count];
            for (var k = 0; k < count; k++)
                (target[k], a[k], b[k]) = (float.NaN, k, 100 - k);
            Peak<V>.Triad(target, a, b, 3f, count);
            for (var k = 0; k < count; k++)
                Assert.Equal(300f - 2 * k, target[k]);
        }
    }

    [Fact]
    public void Only_the_cpu_knows_its_roofs()
    {
        using var simulator = Accelerators.Open(AcceleratorKind.Simulator, 0, 1);
        Assert.Null(simulator.MeasureRoofline());
    }
}
