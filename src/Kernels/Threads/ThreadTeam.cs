using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace AutoencoderGpu.Kernels.Threads;

/// <summary>What the CPU threads that execute a program together share: the barrier, and how far each one's share is taken.</summary>
internal sealed unsafe class ThreadTeam : IDisposable
{
    /// <summary>Longs from one worker's state to the next: two cache lines, since processors fetch them in pairs.</summary>
    private const int Stride = 16;

    private readonly SpinBarrier _barrier;
    private Exception? _failure;
    private readonly long* _state; // of each worker: how far its share is taken, and how many divisions it has begun

    public ThreadTeam(int count)
    {
        Count = count;
        _barrier = new(count);
        _state = (long*)NativeMemory.AlignedAlloc((nuint)(count * Stride) * sizeof(long), Stride * sizeof(long));
        new Span<long>(_state, count * Stride).Clear();
    }

    public int Count { get; }

    /// <exception cref="OperationCanceledException">Another thread has failed, and will not come.</exception>
    public void WaitForAll() => _barrier.Wait();

    /// <summary>Says that a thread ends with an exception; those that wait for it, or are going to, give up.</summary>
    public void Fail(Exception e)
    {
        Interlocked.CompareExchange(ref _failure, e, null);
        _barrier.Break();
    }

    /// <summary>Throws what the first thread failed with; when all have ended.</summary>
    public void ThrowIfFailed()
    {
        if (_failure is null)
            return;
        var failure = ExceptionDispatchInfo.Capture(_failure);
        _failure = null;
        _barrier.Reset();
        new Span<long>(_state, Count * Stride).Clear();
        failure.Throw();
    }

    /// <summary>Begins a division; all workers begin the same ones, in the same order.</summary>
    public int BeginDivision(int worker) => (int)++_state[worker * Stride + 1];

    /// <summary>Where a worker's contiguous share of a number of items begins; shares differ by one item at most.</summary>
    public int StartOfRange(int items, int worker) => (int)((long)items * worker / Count);

    /// <summary>Takes a quarter of what nobody has taken of a worker's share.</summary>
    /// <param name="division">From <see cref="BeginDivision"/>.</param>
    /// <param name="items">Of all workers.</param>
    /// <param name="grain">Items to take at least, where there are so many.</param>
    /// <param name="worker">Whose share.</param>
    /// <returns>Whether anything was left.</returns>
    public bool TryTake(int division, int items, int grain, int worker, out (int Start, int End) piece)
    {
        // The division and the place in it are one number, so nobody has to set a place back before the next division.
        ref var state = ref _state[worker * Stride];
        var end = StartOfRange(items, worker + 1);
        while (true)
        {
            var seen = Volatile.Read(ref state);
            var ahead = (int)(seen >> 32) - division;
            var start = ahead < 0 ? StartOfRange(items, worker) : (int)seen;
            // A worker goes on to another division only when nothing is left of this one.
            if (ahead > 0 || start >= end)
            {
                piece = default;
                return false;
            }

            piece = (start, Math.Min(end, start + Math.Max(grain, (end - start) / 4 / grain * grain)));
            if (Interlocked.CompareExchange(ref state, ((long)division << 32) | (uint)piece.End, seen) == seen)
                return true;
        }
    }

    public void Dispose()
    {
        _barrier.Dispose();
        NativeMemory.AlignedFree(_state);
    }
}
