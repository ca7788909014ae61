using System.Runtime.InteropServices;

namespace AutoencoderGpu.Kernels.Threads;

/// <summary>
/// Lets a fixed number of threads wait for one another between two instructions. Instructions take microseconds, so waiting
/// threads spin, but only for a few of them: where threads outnumber free cores, whoever is waited for needs a core, and a thread
/// that spins longer keeps it from one. Yielding costs next to nothing where nobody else wants to run. Sleeping until woken
/// was slower than either, with as many threads as cores and with more.
/// </summary>
internal sealed unsafe class SpinBarrier : IDisposable
{
    private const int SpinsBeforeYield = 50;
    private const int Broken = -1;
    private readonly int _participants;
    private readonly int* _state; // arrivals and generation, a cache line apart

    public SpinBarrier(int participants)
    {
        _participants = participants;
        _state = (int*)NativeMemory.AlignedAlloc(128, 64);
        Reset();
    }

    /// <summary>Waits until all threads have come here.</summary>
    /// <exception cref="OperationCanceledException">The barrier is broken.</exception>
    public void Wait()
    {
        ref int arrivals = ref _state[0], generation = ref _state[16];
        var current = Volatile.Read(ref generation);
        if (current != Broken && Interlocked.Increment(ref arrivals) == _participants)
        {
            Volatile.Write(ref arrivals, 0);
            // Fails where the barrier has been broken in the meantime.
            Interlocked.CompareExchange(ref generation, (current + 1) & int.MaxValue, current);
            return;
        }

        for (var spins = 0; Volatile.Read(ref generation) == current && current != Broken; spins++)
        {
            if (spins < SpinsBeforeYield)
                Thread.SpinWait(1);
            else
                Thread.Yield();
        }

        if (Volatile.Read(ref generation) == Broken)
            throw new OperationCanceledException("Another thread has failed.");
    }

    /// <summary>Lets all that wait, or are going to, give up.</summary>
    public void Break() => Volatile.Write(ref _state[16], Broken);

    /// <summary>Begins anew, when nobody waits.</summary>
    public void Reset() => new Span<int>(_state, 32).Clear();

    public void Dispose() => NativeMemory.AlignedFree(_state);
}
