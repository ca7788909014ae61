using System.Runtime.InteropServices;

namespace AutoencoderGpu.Kernels.Executors;

/// <summary>
/// Lets a fixed number of threads wait for one another between two instructions. Instructions take microseconds, so waiting
/// threads spin; they yield their core after a while, for machines with fewer cores than threads.
/// </summary>
internal sealed unsafe class SpinBarrier : IDisposable
{
    private const int SpinsBeforeYield = 2000;
    private readonly int _participants;
    private readonly int* _state; // arrivals and generation, a cache line apart

    public SpinBarrier(int participants)
    {
        _participants = participants;
        _state = (int*)NativeMemory.AlignedAlloc(128, 64);
        new Span<int>(_state, 32).Clear();
    }

    public void Wait()
    {
        ref int arrivals = ref _state[0], generation = ref _state[16];
        var current = Volatile.Read(ref generation);
        if (Interlocked.Increment(ref arrivals) == _participants)
        {
            Volatile.Write(ref arrivals, 0);
            Volatile.Write(ref generation, current + 1);
            return;
        }

        for (var spins = 0; Volatile.Read(ref generation) == current; spins++)
        {
            if (spins < SpinsBeforeYield)
                Thread.SpinWait(1);
            else
                Thread.Yield();
        }
    }

    public void Dispose() => NativeMemory.AlignedFree(_state);
}
