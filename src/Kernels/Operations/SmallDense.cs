using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>What the portable kernels of dense layers for mini-batches of up to ten images have in common.</summary>
/// <remarks>
/// <para>
/// Such mini-batches would leave two thirds of a tile's rows empty and go through its depth step by step. Here a group has few results and
/// all its threads share their depth, so that what a layer takes is about one read of global memory; the sums of the threads are added in
/// shared memory, in the same order on every device. The images are held in registers, five to a struct, so ten is where it ends.
/// </para>
/// <para>
/// Of the fully connected model's passes all but two have 128 to 393 groups for an H100's 132 multiprocessors. The two have 64 and 65,
/// forward to 128 outputs and backward to 128 inputs; a thread has one input or two outputs there, so one round of reads is all
/// the depth that is left to split. Twice the groups would each take that same round, and read the images twice as often; and
/// backward, one column instead of two would use 4 instead of 8 of the 32 bytes that every read of w brings.
/// </para>
/// </remarks>
internal static class SmallDense
{
    /// <summary>Threads of a group.</summary>
    public const int Group = 256;

    /// <summary>Images at most.</summary>
    public const int Batch = 2 * Five.Count;

    /// <summary>Results of a group.</summary>
    public const int Results = 20;
}

/// <summary>A value of each of five images, in registers; an array does not always end up there.</summary>
internal readonly record struct Five(float A, float B, float C, float D, float E)
{
    public const int Count = 5;

    /// <summary>These times b, and c.</summary>
    public Five TimesPlus(float b, Five c) => new(A * b + c.A, B * b + c.B, C * b + c.C, D * b + c.D, E * b + c.E);

    /// <summary>The sum of these times those of b, and c.</summary>
    public float Dot(Five b, float c) => A * b.A + (B * b.B + (C * b.C + (D * b.D + (E * b.E + c))));

    public Five OrOnes(bool ones) => ones ? new(1f, 1f, 1f, 1f, 1f) : this;

    /// <summary>Of the first images only, 0 for the others.</summary>
    public Five Below(int count) =>
        new(count > 0 ? A : 0f, count > 1 ? B : 0f, count > 2 ? C : 0f, count > 3 ? D : 0f, count > 4 ? E : 0f);
}

/// <summary>Where five images begin in the arena.</summary>
internal readonly record struct FivePlaces(int A, int B, int C, int D, int E)
{
    public static FivePlaces Of(in FeatureMap map, int first, int count)
    {
        int last = count - 1, size = map.Size;
        return new(
            map.Offset + IntrinsicMath.Min(first, last) * size,
            map.Offset + IntrinsicMath.Min(first + 1, last) * size,
            map.Offset + IntrinsicMath.Min(first + 2, last) * size,
            map.Offset + IntrinsicMath.Min(first + 3, last) * size,
            map.Offset + IntrinsicMath.Min(first + 4, last) * size);
    }

    public Five Read(ArrayView<float> arena, int index) =>
        new(arena[A + index], arena[B + index], arena[C + index], arena[D + index], arena[E + index]);
}
