using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <remarks>
/// <para>
/// The portable kernels for mini-batches of up to ten images, which would leave two thirds of a tile's rows empty and go through
/// its depth step by step. Here a group has few results and all its threads share their depth, so that what a layer takes is
/// about one read of global memory; the sums of the threads are added in shared memory, in the same order on every device. The
/// images are held in registers, five to a struct, so ten is where it ends.
/// </para>
/// <para>
/// Of the fully connected model's passes all but two have 128 to 393 groups for an H100's 132 multiprocessors. The two have 64 and 65,
/// forward to 128 outputs and backward to 128 inputs; a thread has one input or two outputs there, so one round of reads is all
/// the depth that is left to split. Twice the groups would each take that same round, and read the images twice as often; and
/// backward, one column instead of two would use 4 instead of 8 of the 32 bytes that every read of w brings. No GPU has measured this yet.
/// </para>
/// </remarks>
public static partial class Dense
{
    internal const int SmallGroup = 256;
    internal const int SmallBatch = 2 * Five.Count;

    private const int Results = 20; // of a group

    // Forward: four outputs of five images.
    private const int SmallOutputs = 4;

    // Backward: two columns of w (N, K + 1), whose last is the bias, for ten images. Neighbouring threads have neighbouring columns.
    private const int SmallColumns = 2;
    private const int Lanes = SmallGroup / SmallColumns;
    private const int LaneStride = Lanes + 16; // keeps both columns in banks of their own

    internal static Index3D SmallForwardGrid(in Instruction i, int batch) =>
        new((i.Output.Size + SmallOutputs - 1) / SmallOutputs, (batch + Five.Count - 1) / Five.Count, 1);

    internal static Index3D SmallBackwardGrid(in Instruction i) => new((i.Saved.Size + SmallColumns) / SmallColumns, 1, 1);

    /// <summary>A thread takes every 256th input, four of them at once.</summary>
    internal static void SmallForwardKernel(Instruction i, Buffers buffers, MiniBatch batch)
    {
        var memory = SharedMemory.Allocate<Float4>(Results * SmallGroup / 4);
        var arena = buffers.Arena;
        int thread = Group.IdxX, inputs = i.Input.Size;
        int firstOutput = Grid.IdxX * SmallOutputs, firstImage = Grid.IdxY * Five.Count;
        // What lies outside is the last output or image again: it is not stored.
        int output = IntrinsicMath.Min(firstOutput + (thread & (SmallOutputs - 1)), i.Output.Size - 1), last = i.Output.Size - 1;
        var bias = arena[i.Bias + output];
        int w0 = i.Weights + firstOutput * inputs, w1 = i.Weights + IntrinsicMath.Min(firstOutput + 1, last) * inputs;
        int w2 = i.Weights + IntrinsicMath.Min(firstOutput + 2, last) * inputs;
        int w3 = i.Weights + IntrinsicMath.Min(firstOutput + 3, last) * inputs;
        var images = FivePlaces.Of(i.Input, firstImage, batch.Count);
        Float4 sumsA = default, sumsB = default, sumsC = default, sumsD = default, sumsE = default;
        for (var k = thread; k < inputs; k += 4 * SmallGroup)
        {
            Float4 weights0 = Inputs(arena, w0, k, inputs), weights1 = Inputs(arena, w1, k, inputs);
            Float4 weights2 = Inputs(arena, w2, k, inputs), weights3 = Inputs(arena, w3, k, inputs);
            Float4 a = Inputs(arena, images.A, k, inputs), b = Inputs(arena, images.B, k, inputs);
            Float4 c = Inputs(arena, images.C, k, inputs), d = Inputs(arena, images.D, k, inputs);
            var e = Inputs(arena, images.E, k, inputs);
            sumsA = Dots(a, weights0, weights1, weights2, weights3, sumsA);
            sumsB = Dots(b, weights0, weights1, weights2, weights3, sumsB);
            sumsC = Dots(c, weights0, weights1, weights2, weights3, sumsC);
            sumsD = Dots(d, weights0, weights1, weights2, weights3, sumsD);
            sumsE = Dots(e, weights0, weights1, weights2, weights3, sumsE);
        }

        var terms = memory.Cast<float>().SubView(thread);
        Put(terms, 0, sumsA);
        Put(terms, 1, sumsB);
        Put(terms, 2, sumsC);
        Put(terms, 3, sumsD);
        Put(terms, 4, sumsE);
        var sum = GroupSum.Of(memory, Results, SmallGroup, SmallGroup);
        var image = firstImage + thread / SmallOutputs;
        if (thread < Results && image < batch.Count && firstOutput + (thread & (SmallOutputs - 1)) <= last)
            arena[i.Output.Offset + image * i.Output.Size + output] = Activations.Apply(i.Activation, sum + bias);
    }

    /// <summary>
    /// Reads w once for both of its uses. A thread takes every 128th output of its column, four of them at once: it sums what they
    /// give to the gradient of the column's input, and updates them.
    /// </summary>
    internal static void SmallBackwardKernel(Instruction i, Buffers buffers, MiniBatch batch)
    {
        var memory = SharedMemory.Allocate<Float4>(Results * LaneStride / 4);
        var arena = buffers.Arena;
        int inputs = i.Saved.Size, outputs = i.Input.Size;
        int thread = Group.IdxX, lane = thread / SmallColumns, side = thread & (SmallColumns - 1);
        int column = Grid.IdxX * SmallColumns + side, input = IntrinsicMath.Min(column, inputs - 1);
        var isBias = column == inputs;
        int weights = isBias ? i.Bias : i.Weights + input, stride = isBias ? 1 : inputs;

        FivePlaces near = FivePlaces.Of(i.Input, 0, batch.Count), far = FivePlaces.Of(i.Input, Five.Count, batch.Count);
        // Of the result that this thread will store.
        var index = IntrinsicMath.Min(thread / SmallColumns, batch.Count - 1) * inputs + input;
        var saved = arena[i.Saved.Offset + index];
        Five nearSums = default, farSums = default;
        // A column outside has no outputs.
        for (var n = column <= inputs ? lane : outputs; n < outputs; n += 4 * Lanes)
        {
            // All reads of a round are under way before the first is waited for; the rate, which two in a row find, is the last.
            var step = batch.From(buffers).Step;
            int n1 = n + Lanes, n2 = n + 2 * Lanes, n3 = n + 3 * Lanes;
            var w0 = arena[weights + n * stride];
            float w1 = n1 < outputs ? arena[weights + n1 * stride] : 0f, w2 = n2 < outputs ? arena[weights + n2 * stride] : 0f;
            var w3 = n3 < outputs ? arena[weights + n3 * stride] : 0f;
            Five near0 = near.Read(arena, n), far0 = far.Read(arena, n);
            Five near1 = n1 < outputs ? near.Read(arena, n1) : default, far1 = n1 < outputs ? far.Read(arena, n1) : default;
            Five near2 = n2 < outputs ? near.Read(arena, n2) : default, far2 = n2 < outputs ? far.Read(arena, n2) : default;
            Five near3 = n3 < outputs ? near.Read(arena, n3) : default, far3 = n3 < outputs ? far.Read(arena, n3) : default;
            // An image that is not there is the last one again, times 0.
            var nearInputs = FivePlaces.Of(i.Saved, 0, batch.Count).Read(arena, input).OrOnes(isBias).Below(batch.Count);
            var farInputs = FivePlaces.Of(i.Saved, Five.Count, batch.Count).Read(arena, input).OrOnes(isBias).Below(batch.Count - Five.Count);
            var rate = buffers.LearningRates[step];
            nearSums = near0.TimesPlus(w0, near1.TimesPlus(w1, near2.TimesPlus(w2, near3.TimesPlus(w3, nearSums))));
            farSums = far0.TimesPlus(w0, far1.TimesPlus(w1, far2.TimesPlus(w2, far3.TimesPlus(w3, farSums))));
            w0 -= rate * near0.Dot(nearInputs, far0.Dot(farInputs, 0f));
            w1 -= rate * near1.Dot(nearInputs, far1.Dot(farInputs, 0f));
            w2 -= rate * near2.Dot(nearInputs, far2.Dot(farInputs, 0f));
            w3 -= rate * near3.Dot(nearInputs, far3.Dot(farInputs, 0f));
            arena[weights + n * stride] = w0;
            if (n1 < outputs)
                arena[weights + n1 * stride] = w1;
            if (n2 < outputs)
                arena[weights + n2 * stride] = w2;
            if (n3 < outputs)
                arena[weights + n3 * stride] = w3;
        }

        if (i.Output.IsNone)
            return;
        // (image, column, lane)
        var terms = memory.Cast<float>().SubView(side * LaneStride + lane);
        Put(terms, 0, nearSums);
        Put(terms, Five.Count, farSums);
        var sum = GroupSum.Of(memory, Results, Lanes, LaneStride);
        if (thread < SmallColumns * batch.Count && column < inputs)
            arena[i.Output.Offset + index] = sum * Activations.Derivative(i.Derivative, saved);
    }

    private static Float4 Inputs(ArrayView<float> arena, int row, int k, int inputs) => new()
    {
        X = arena[row + k],
        Y = k + SmallGroup < inputs ? arena[row + k + SmallGroup] : 0f,
        Z = k + 2 * SmallGroup < inputs ? arena[row + k + 2 * SmallGroup] : 0f,
        W = k + 3 * SmallGroup < inputs ? arena[row + k + 3 * SmallGroup] : 0f,
    };

    private static Float4 Dots(Float4 x, Float4 w0, Float4 w1, Float4 w2, Float4 w3, Float4 sums) => new()
    {
        X = Float4.Dot(x, w0, sums.X),
        Y = Float4.Dot(x, w1, sums.Y),
        Z = Float4.Dot(x, w2, sums.Z),
        W = Float4.Dot(x, w3, sums.W),
    };

    private static void Put(ArrayView<float> terms, int image, Float4 sums)
    {
        terms = terms.SubView(image * SmallOutputs * SmallGroup);
        terms[0] = sums.X;
        terms[SmallGroup] = sums.Y;
        terms[2 * SmallGroup] = sums.Z;
        terms[3 * SmallGroup] = sums.W;
    }

    private static void Put(ArrayView<float> terms, int image, Five sums)
    {
        terms = terms.SubView(image * SmallColumns * LaneStride);
        terms[0] = sums.A;
        terms[SmallColumns * LaneStride] = sums.B;
        terms[2 * SmallColumns * LaneStride] = sums.C;
        terms[3 * SmallColumns * LaneStride] = sums.D;
        terms[4 * SmallColumns * LaneStride] = sums.E;
    }

    /// <summary>A value of each of five images, in registers; an array does not always end up there.</summary>
    private readonly record struct Five(float A, float B, float C, float D, float E)
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
    private readonly record struct FivePlaces(int A, int B, int C, int D, int E)
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
}
