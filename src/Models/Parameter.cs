namespace AutoencoderGpu.Models;

/// <summary>A tensor of parameters with PyTorch's name and shape.</summary>
/// <param name="Name">Such as <c>fcEncoder1.weight</c>.</param>
/// <param name="Shape">(out, in), (Cout, Cin, 3, 3), or (out) for a bias.</param>
/// <param name="FanIn">Inputs of each output, which bound the initial values.</param>
/// <param name="Offset">In the arena.</param>
/// <param name="IsEncoder">Whether it belongs to the encoder.</param>
public sealed record Parameter(string Name, IReadOnlyList<int> Shape, int FanIn, int Offset, bool IsEncoder)
{
    /// <summary>Number of values.</summary>
    public int Count => Shape.Aggregate(1, (product, size) => product * size);

    /// <summary>PyTorch's (Cout, Cin, 3, 3) to the arena's (3, 3, Cin, Cout); others are the same in both.</summary>
    public float[] ToArena(ReadOnlySpan<float> values) => Transpose(values, toArena: true);

    /// <summary>The inverse of <see cref="ToArena"/>.</summary>
    public float[] FromArena(ReadOnlySpan<float> values) => Transpose(values, toArena: false);

    private float[] Transpose(ReadOnlySpan<float> values, bool toArena)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, Count);
        if (Shape.Count != 4)
            return values.ToArray();
        var result = new float[values.Length];
        int cout = Shape[0], cin = Shape[1];
        for (var n = 0; n < cout; n++)
        {
            for (var c = 0; c < cin; c++)
            {
                for (var tap = 0; tap < 9; tap++)
                {
                    int torch = (n * cin + c) * 9 + tap, arena = (tap * cin + c) * cout + n;
                    if (toArena)
                        result[arena] = values[torch];
                    else
                        result[torch] = values[arena];
                }
            }
        }

        return result;
    }
}
