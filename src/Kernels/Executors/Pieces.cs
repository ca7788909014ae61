namespace AutoencoderGpu.Kernels.Executors;

/// <summary>
/// The pieces of an instruction's items that one worker takes: first of its own contiguous share, the same one every time, whose data
/// its caches may still hold, and then of what others have not begun of theirs. Cores are seldom equally fast: another program, or a
/// neighbour on the same core, slows one of them for a while, and at the barrier everybody would wait for it.
/// </summary>
/// <remarks>
/// Who computes an item must not change its bits, so items are whole tiles, and must not matter to another item, not even to one of
/// another division unless a barrier stands between the two.
/// </remarks>
internal struct Pieces(ThreadTeam team, int worker, int items, int grain)
{
    private readonly int _division = team.BeginDivision(worker);
    private int _helped; // whose share is being taken, counted from this worker's

    public (int Start, int End) Current { get; private set; }

    public readonly Pieces GetEnumerator() => this;

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

/// <summary>The items of <see cref="Pieces"/>, one by one.</summary>
internal struct Items(Pieces pieces)
{
    private Pieces _pieces = pieces;
    private int _end;

    public int Current { get; private set; } = -1;

    public readonly Items GetEnumerator() => this;

    public bool MoveNext()
    {
        if (++Current < _end)
            return true;
        if (!_pieces.MoveNext())
            return false;
        (Current, _end) = _pieces.Current;
        return true;
    }
}

/// <summary><see cref="Pieces"/> of tiles, cut into blocks of so many items at most.</summary>
internal struct Blocks(Pieces pieces, int items, int tile, int most)
{
    private Pieces _pieces = pieces;
    private int _end;

    public (int Start, int End) Current { get; private set; }

    public readonly Blocks GetEnumerator() => this;

    public bool MoveNext()
    {
        var start = Current.End;
        if (start >= _end)
        {
            if (!_pieces.MoveNext())
                return false;
            (start, _end) = (_pieces.Current.Start * tile, Math.Min(items, _pieces.Current.End * tile));
        }

        Current = (start, Math.Min(_end, start + most));
        return true;
    }
}
