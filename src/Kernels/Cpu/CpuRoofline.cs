using System.Diagnostics;
using System.Runtime.InteropServices;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;

namespace AutoencoderGpu.Kernels.Cpu;

/// <summary>Measures the <see cref="Roofline"/> of the CPU.</summary>
internal static class CpuRoofline
{
    private const int Alignment = 64;

    /// <summary>About a millisecond each, so that the best of them is free of whatever else the machine does.</summary>
    private const int FlopsRepeats = 200, MultiplyAddRounds = 500_000;

    /// <summary>Three arrays of 48 KiB a thread: more than a first cache holds, less than any second one.</summary>
    private const int CacheRepeats = 200, CacheCount = 12 * 1024, CacheSweeps = 500;

    /// <summary>Three arrays of 128 MiB, or what a small machine can spare.</summary>
    private const int MemoryRepeats = 10, MemoryCount = 32 * 1024 * 1024;

    /// <summary>Measures the CPU with a number of threads, in about a second.</summary>
    public static Roofline Measure<V>(int threads)
        where V : unmanaged, ISimd<V>
    {
        var spare = (int)Math.Min(MemoryCount, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (8 * sizeof(float)));
        return new(
            Flops<V>(threads),
            Bandwidth<V>(threads, CacheCount, CacheSweeps, CacheRepeats),
            Bandwidth<V>(threads, spare / threads, 1, MemoryRepeats));
    }

    private static double Flops<V>(int threads)
        where V : unmanaged, ISimd<V>
    {
        var seconds = BestSeconds(threads, FlopsRepeats, _ => Peak<V>.MultiplyAdds(MultiplyAddRounds, 1f, 1f));
        return 1e-9 * threads * MultiplyAddRounds * Peak<V>.FlopsOfRound / seconds;
    }

    private static unsafe double Bandwidth<V>(int threads, int countOfThread, int sweeps, int repeats)
        where V : unmanaged, ISimd<V>
    {
        var count = countOfThread / Alignment * Alignment;
        var bytes = (nuint)count * sizeof(float);
        var arrays = (float*)NativeMemory.AlignedAlloc(3 * bytes * (nuint)threads, Alignment);
        try
        {
            // Pages that nobody has written yet are all the same page of zeros.
            BestSeconds(threads, 1, thread => NativeMemory.Fill(Part(thread), 3 * bytes, 0));
            var seconds = BestSeconds(threads, repeats, thread =>
            {
                var target = Part(thread);
                for (var sweep = 0; sweep < sweeps; sweep++)
                    Peak<V>.Triad(target, target + count, target + 2 * count, 3f, count);
            });
            return 1e-9 * threads * sweeps * 3 * bytes / seconds;
        }
        finally
        {
            NativeMemory.AlignedFree(arrays);
        }

        float* Part(int thread) => arrays + 3 * (nint)count * thread;
    }

    /// <summary>The shortest time in which all threads do their work side by side.</summary>
    private static double BestSeconds(int threads, int repeats, Action<int> work)
    {
        using var barrier = new SpinBarrier(threads);
        var best = double.MaxValue;
        Thread[] others = [.. Enumerable.Range(1, threads - 1).Select(thread => new Thread(() => Run(thread)))];
        foreach (var other in others)
            other.Start();
        Run(0);
        foreach (var other in others)
            other.Join();
        return best;

        void Run(int thread)
        {
            for (var repeat = 0; repeat < repeats; repeat++)
            {
                barrier.Wait();
                var start = Stopwatch.GetTimestamp();
                work(thread);
                barrier.Wait();
                if (thread == 0)
                    best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
        }
    }
}
