namespace AutoencoderGpu.Kernels.Instructions;

/// <summary>A program: the instructions of one step, in their order.</summary>
public sealed class InstructionList
{
    private readonly Instruction[] _instructions;
    private Demands? _demands;

    /// <summary>Copies the instructions.</summary>
    public InstructionList(params IReadOnlyList<Instruction> instructions) => _instructions = [.. instructions];

    /// <summary>The instructions.</summary>
    public IReadOnlyList<Instruction> Instructions => _instructions;

    /// <summary>Looks whether all operands lie in an arena, and images are of the size that is read.</summary>
    /// <param name="arenaLength">Floats.</param>
    /// <param name="batchSize">Images of a mini-batch at most.</param>
    /// <param name="imageSize">Bytes of an image; null where there are none yet.</param>
    /// <exception cref="ArgumentException">Running the program would read or write something else.</exception>
    internal void Check(int arenaLength, int batchSize, int? imageSize = null)
    {
        var demands = _demands;
        if (demands?.BatchSize != batchSize)
        {
            demands = new Demands(batchSize);
            foreach (var instruction in _instructions)
                demands.Add(instruction);
            _demands = demands;
        }

        demands.Check(arenaLength, imageSize);
    }

    /// <summary>What a program needs of an arena and of images.</summary>
    private sealed class Demands(int batchSize) : OperandVisitor
    {
        // In double precision nothing wraps, and whatever fits an arena is exact.
        private double _length;
        private int? _imageSize;
        private Instruction? _instruction;

        public int BatchSize => batchSize;

        private string? Name => _instruction?.Name;

        public void Add(Instruction instruction)
        {
            _instruction = instruction;
            instruction.Visited(this);
        }

        public void Check(int arenaLength, int? imageSize)
        {
            if (_length > arenaLength)
                throw new ArgumentException($"The program needs an arena of {_length:N0} floats for mini-batches of {batchSize}, and this one has {arenaLength:N0}.", nameof(arenaLength));
            if (_imageSize is { } size && imageSize is { } given && size != given)
                throw new ArgumentException($"The program reads images of {size:N0} bytes, and the feed's have {given:N0}.", nameof(imageSize));
        }

        public override void Images(int size) => _imageSize = _imageSize is null || _imageSize == size
            ? size
            : throw new ArgumentException($"The program's instructions read images of different sizes, {_imageSize:N0} and {size:N0} bytes.");

        protected override void Map(ref FeatureMap map, Access access, Border border, int copies, int distance)
        {
            if (distance < 0 || map.Height < 1 || map.Width < 1 || map.Channels < 1)
                throw new ArgumentException($"{Name} has a map of {map.Height}×{map.Width}×{map.Channels}.");
            var length = (double)batchSize * (map.Height + 2.0 * map.Border) * (map.Width + 2.0 * map.Border) * map.Channels;
            if (copies > 1 && distance < length)
                throw new ArgumentException($"{Name}'s maps {map} are {distance} floats apart, too few for a mini-batch of {batchSize}.");
            if (border == (map.Border > 0 ? Border.None : Border.Zeros))
                throw new ArgumentException($"{Name} needs a map {(border == Border.None ? "without" : "with")} a border, and {map} is none.");
            Add(map.Offset, (copies - 1.0) * distance + length, "a map");
        }

        protected override void Slice(ref int offset, int length, Access access) => Add(offset, length, "a slice of floats");

        private void Add(int offset, double length, string what)
        {
            if (offset < 0 || length < 0)
                throw new ArgumentException($"{Name} has {what} at {offset} of the arena, with {length:0} floats.");
            _length = Math.Max(_length, offset + length);
        }
    }
}
