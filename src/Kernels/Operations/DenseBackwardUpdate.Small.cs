using AutoencoderGpu.Kernels.Products;
using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

public partial struct DenseBackwardUpdate
{
    /// <summary>A group takes two columns of w (N, K + 1), whose last is the bias, for ten images. Neighbouring threads have neighbouring columns.</summary>
    private const int SmallColumns = 2;

    private const int Lanes = SmallDense.Group / SmallColumns;
    private const int LaneStride = Lanes + 16; // keeps both columns in banks of their own

    private static Index3D SmallGrid(in DenseBackwardUpdate i, int batch) =>
        batch > SmallDense.Batch ? default : new((i.Saved.Size + SmallColumns) / SmallColumns, 1, 1);

    /// <summary>
    /// Reads w once for both of its uses. A thread takes every 128th output of its column, four of them at once: it sums what they
    /// give to the gradient of the column's input, and updates them.
    /// </summary>
    internal static void SmallKernel(DenseBackwardUpdate i, Buffers buffers, MiniBatch batch)
    {
        var memory = SharedMemory.Allocate<Float4>(SmallDense.Results * LaneStride / 4);
        var arena = buffers.Arena;
        int inputs = i.Saved.Size, outputs = i.OutputGradient.Size;
        int thread = Group.IdxX, lane = thread / SmallColumns, side = thread & (SmallColumns - 1);
        int column = Grid.IdxX * SmallColumns + side, input = IntrinsicMath.Min(column, inputs - 1);
        var isBias = column == inputs;
        int weights = isBias ? i.Bias : i.Weights + input, stride = isBias ? 1 : inputs;

        FivePlaces near = FivePlaces.Of(i.OutputGradient, 0, batch.Count), far = FivePlaces.Of(i.OutputGradient, Five.Count, batch.Count);
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

        if (i.InputGradient.IsNone)
            return;
        // (image, column, lane)
        var terms = memory.Cast<float>().SubView(side * LaneStride + lane);
        Put(terms, 0, nearSums);
        Put(terms, Five.Count, farSums);
        var sum = GroupSum.Of(memory, SmallDense.Results, Lanes, LaneStride);
        if (thread < SmallColumns * batch.Count && column < inputs)
            arena[i.InputGradient.Offset + index] = sum * Activations.Derivative(i.Derivative, saved);
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
}
