namespace AutoencoderGpu.Kernels.Threads;

/// <summary>
/// The pieces of an instruction's items that one worker takes: first of its own contiguous share, the same one every time, whose data
/// its caches may still hold, and then of what others have not begun of theirs. Cores are seldom equally fast: another program, or a
/// neighbour on the same core, slows one of them for a while, and at the barrier everybody would wait for it.
/// </summary>
/// <remarks>
/// Who computes an item must not change its bits, so items are whole tiles, and must not matter to another item, not even to one of
/// another division unless a barrier stands between the two.
/// </remarks>
internal struct WorkRanges(ThreadTeam team, int worker, int items, int grain)
{
    private readonly int _division = team.BeginDivision(worker);
    private int _helped; // whose share is being taken, counted from this worker's

    public (int Start, int End) Current { get; private set; }

    public readonly WorkRanges GetEnumerator() => this;

    public bool MoveNext()
    {
        for (; _helped < team.Count; _helped++)
        {
            if (team.TryTake(_division, items, grain, (worker + _helped) % team.Count, out var piece))
            {
                Current = piece;
                return true;
            }
        }

        return false;
    }
}

/// <summary>The items of <see cref="WorkRanges"/>, one by one.</summary>
internal struct WorkItems(WorkRanges ranges)
{
    private WorkRanges _ranges = ranges;
    private int _end;

    public int Current { get; private set; } = -1;

    public readonly WorkItems GetEnumerator() => this;

    public bool MoveNext()
    {
        if (++Current < _end)
            return true;
        if (!_ranges.MoveNext())
            return false;
        (Current, _end) = _ranges.Current;
        return true;
    }
}

/// <summary><see cref="WorkRanges"/> of tiles, cut into blocks of so many items at most.</summary>
internal struct WorkBlocks(WorkRanges ranges, int items, int tile, int most)
{
    private WorkRanges _ranges = ranges;
    private int _end;

    public (int Start, int End) Current { get; private set; }

    public readonly WorkBlocks GetEnumerator() => this;

    public bool MoveNext()
    {
        var start = Current.End;
        if (start >= _end)
        {
            if (!_ranges.MoveNext())
                return false;
            (start, _end) = (_ranges.Current.Start * tile, Math.Min(items, _ranges.Current.End * tile));
        }

        Current = (start, Math.Min(_end, start + most));
        return true;
    }
}
