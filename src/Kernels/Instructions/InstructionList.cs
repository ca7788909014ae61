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
        private Int128 _length;
        private int? _imageSize;
        private string _name = "";

        public int BatchSize => batchSize;

        public void Add(Instruction instruction)
        {
            _name = instruction.Name;
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
                throw new ArgumentException($"{_name} has a map of {map.Height}×{map.Width}×{map.Channels}.");
            // Sizes of maps are 32-bit numbers, which may have wrapped.
            var length = (Int128)batchSize * (map.Height + 2L * map.Border) * (map.Width + 2L * map.Border) * map.Channels;
            if (copies > 1 && distance < length)
                throw new ArgumentException($"{_name}'s maps {map} are {distance} floats apart, too few for a mini-batch of {batchSize}.");
            if (border == (map.Border > 0 ? Border.None : Border.Zeros))
                throw new ArgumentException($"{_name} needs a map {(border == Border.None ? "without" : "with")} a border, and {map} is none.");
            Add(map.Offset, (copies - 1L) * distance + length, map.ToString());
        }

        protected override void Slice(ref int offset, int length, Access access) => Add(offset, length, "a slice of floats");

        private void Add(int offset, Int128 length, string what)
        {
            if (offset < 0 || length < 0)
                throw new ArgumentException($"{_name} has {what} at {offset} of the arena, with {length} floats.");
            _length = Int128.Max(_length, offset + length);
        }
    }
}
