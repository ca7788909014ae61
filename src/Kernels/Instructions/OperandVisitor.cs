namespace AutoencoderGpu.Kernels.Instructions;

/// <summary>What an instruction does with an operand.</summary>
[Flags]
internal enum Access
{
    /// <summary>It needs what is there.</summary>
    Read = 1,

    /// <summary>It leaves something else there.</summary>
    Write = 2,

    /// <summary>Both.</summary>
    Update = Read | Write,
}

/// <summary>What an instruction demands of the pixels around a map's images.</summary>
internal enum Border
{
    /// <summary>Nothing.</summary>
    Any,

    /// <summary>That there are none: it takes the map for a matrix.</summary>
    None,

    /// <summary>One pixel of zeros, which it reads.</summary>
    Zeros,
}

/// <summary>
/// Is told of all operands of an instruction, in any order, and may move them. So what an instruction needs is written down once, for the
/// checks before it runs, for fusion, and for whoever gives operands their place in the arena.
/// </summary>
internal abstract class OperandVisitor
{
    public void Read(ref FeatureMap map, Border border = Border.Any) => Visit(ref map, Access.Read, border);

    public void Write(ref FeatureMap map, Border border = Border.Any) => Visit(ref map, Access.Write, border);

    public void Read(ref int offset, int length) => Visit(ref offset, length, Access.Read);

    public void Write(ref int offset, int length) => Visit(ref offset, length, Access.Write);

    public void Update(ref int offset, int length) => Visit(ref offset, length, Access.Update);

    /// <summary>Maps of one shape, at equal distances.</summary>
    /// <param name="copies">How many.</param>
    /// <param name="distance">Floats from one to the next, at least those of a whole mini-batch.</param>
    public void Visit(ref FeatureMap map, Access access, Border border, int copies, int distance) => Map(ref map, access, border, copies, distance);

    private void Visit(ref FeatureMap map, Access access, Border border)
    {
        // There may be none, such as the gradient of a first layer's input.
        if (!map.IsNone)
            Map(ref map, access, border, 1, 0);
    }

    /// <summary>Floats whose number does not depend on the mini-batch, such as parameters.</summary>
    public void Visit(ref int offset, int length, Access access) => Slice(ref offset, length, access);

    /// <summary>Values of every image.</summary>
    protected abstract void Map(ref FeatureMap map, Access access, Border border, int copies, int distance);

    /// <summary>Floats, of parameters and the like.</summary>
    protected abstract void Slice(ref int offset, int length, Access access);

    /// <summary>The losses of the mini-batch's images, which are written.</summary>
    public virtual void Losses()
    {
    }

    /// <summary>Bytes of an image of the data set.</summary>
    public virtual void Images(int size)
    {
    }
}
