using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Instructions;

namespace AutoencoderGpu.Models;

/// <summary>
/// The arena while a network is compiled. Instructions are made with provisional offsets; once it is known which of them remain, every operand that
/// still has a use gets its place, and a border of zeros where an instruction reads one.
/// </summary>
/// <param name="batchSize">Images of a mini-batch, at most.</param>
internal sealed class ArenaSpace(int batchSize)
{
    private readonly List<Entry> _entries = [];
    private int _end;

    /// <summary>Images of a mini-batch, at most.</summary>
    public int BatchSize { get; } = batchSize;

    /// <summary>A provisional map.</summary>
    /// <param name="copies">Maps of this shape, one behind the other.</param>
    public FeatureMap Map(int height, int width, int channels, int copies = 1)
    {
        var map = new FeatureMap(_end, height, width, channels, 0);
        Add(new() { Start = _end, Length = map.Size, Map = map, Copies = copies });
        return map;
    }

    /// <summary>Provisional floats that do not depend on the mini-batch.</summary>
    public int Slice(int length)
    {
        Add(new() { Start = _end, Length = length });
        return _entries[^1].Start;
    }

    /// <summary>Gives all operands of the instructions their places.</summary>
    /// <param name="programs">The instructions.</param>
    /// <param name="kept">Offsets of what others look at.</param>
    /// <returns>The programs with the places, the floats of the arena, and what turns a provisional offset into a place.</returns>
    public (InstructionList[] Programs, int Length, Func<int, int> PlaceOf) Place(
        IReadOnlyList<IReadOnlyList<Instruction>> programs, IEnumerable<int> kept)
    {
        var uses = new Uses(this);
        foreach (var instruction in programs.SelectMany(program => program))
            instruction.Visited(uses);
        foreach (var entry in kept.Select(EntryOf))
            (entry.IsUsed, entry.UsedLength) = (true, entry.Length);
        var length = 0;
        foreach (var entry in _entries.Where(entry => entry.IsUsed))
        {
            entry.Place = length;
            length = Aligned(checked(length + entry.PlacedLength(BatchSize)));
        }

        var places = new Places(this);
        return ([.. programs.Select(program => new InstructionList([.. program.Select(instruction => instruction.Visited(places))]))], length, PlaceOf);
    }

    /// <summary>A length up to where the next operand may begin.</summary>
    public static int Aligned(int length) => checked(length + Arena.Alignment - 1) / Arena.Alignment * Arena.Alignment;

    /// <summary>The border that a map has got.</summary>
    public int BorderOf(FeatureMap map) => EntryOf(map.Offset).BorderSize;

    private int PlaceOf(int offset)
    {
        var entry = EntryOf(offset);
        return entry.Place + offset - entry.Start;
    }

    private void Add(Entry entry)
    {
        _entries.Add(entry);
        _end = Aligned(checked(_end + Math.Max(1, entry.Length)));
    }

    private Entry EntryOf(int offset)
    {
        int low = 0, high = _entries.Count - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            (low, high) = _entries[middle].Start <= offset ? (middle, high) : (low, middle - 1);
        }

        return _entries[low];
    }

    /// <summary>Something in the arena.</summary>
    private sealed class Entry
    {
        public required int Start { get; init; }

        public required int Length { get; init; }

        public FeatureMap Map { get; init; }

        public int Copies { get; init; } = 1;

        public bool IsUsed { get; set; }

        /// <summary>The end of what is used of it, where it is no map.</summary>
        public int UsedLength { get; set; }

        public Border Border { get; set; }

        public int Place { get; set; }

        public int PlacedLength(int batchSize) => Map.IsNone
            ? Math.Min(Length, UsedLength)
            : checked(batchSize * (Map with { Border = BorderSize }).ImageStride * Copies);

        public int BorderSize => Border == Border.Zeros ? 1 : 0;
    }

    /// <summary>Finds out what is used.</summary>
    private sealed class Uses(ArenaSpace space) : OperandVisitor
    {
        protected override void Map(ref FeatureMap map, Access access, Border border, int copies, int distance)
        {
            var entry = space.EntryOf(map.Offset);
            entry.IsUsed = true;
            if (border == Border.Any)
                return;
            if (entry.Border != Border.Any && entry.Border != border)
                throw new ArgumentException($"The map {entry.Map} would have to have a border and none; a layer that copies, such as flatten, may stand between.");
            entry.Border = border;
        }

        protected override void Slice(ref int offset, int length, Access access)
        {
            var entry = space.EntryOf(offset);
            entry.IsUsed = true;
            entry.UsedLength = Math.Max(entry.UsedLength, offset - entry.Start + length);
        }
    }

    /// <summary>Moves operands to their places.</summary>
    private sealed class Places(ArenaSpace space) : OperandVisitor
    {
        protected override void Map(ref FeatureMap map, Access access, Border border, int copies, int distance) =>
            map = map with { Offset = space.PlaceOf(map.Offset), Border = space.EntryOf(map.Offset).BorderSize };

        protected override void Slice(ref int offset, int length, Access access) => offset = space.PlaceOf(offset);
    }
}
