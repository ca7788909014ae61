using AutoencoderGpu.Kernels.Products;
using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

public partial struct DenseForward
{
    /// <summary>A group computes four outputs of five images.</summary>
    private const int SmallOutputs = 4;

    private static Index3D SmallGrid(in DenseForward i, int batch) => batch > SmallDense.Batch
        ? default
        : new((i.Output.Size + SmallOutputs - 1) / SmallOutputs, (batch + Five.Count - 1) / Five.Count, 1);

    /// <summary>A thread takes every 256th input, four of them at once.</summary>
    internal static void SmallKernel(DenseForward i, Buffers buffers, MiniBatch batch)
    {
        var memory = SharedMemory.Allocate<Float4>(SmallDense.Results * SmallDense.Group / 4);
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
        for (var k = thread; k < inputs; k += 4 * SmallDense.Group)
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
        var sum = GroupSum.Of(memory, SmallDense.Results, SmallDense.Group, SmallDense.Group);
        var image = firstImage + thread / SmallOutputs;
        if (thread < SmallDense.Results && image < batch.Count && firstOutput + (thread & (SmallOutputs - 1)) <= last)
            arena[i.Output.Offset + image * i.Output.Size + output] = Activations.Apply(i.Activation, sum + bias);
    }

    private static Float4 Inputs(ArrayView<float> arena, int row, int k, int inputs) => new()
    {
        X = arena[row + k],
        Y = k + SmallDense.Group < inputs ? arena[row + k + SmallDense.Group] : 0f,
        Z = k + 2 * SmallDense.Group < inputs ? arena[row + k + 2 * SmallDense.Group] : 0f,
        W = k + 3 * SmallDense.Group < inputs ? arena[row + k + 3 * SmallDense.Group] : 0f,
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
        terms = terms.SubView(image * SmallOutputs * SmallDense.Group);
        terms[0] = sums.X;
        terms[SmallDense.Group] = sums.Y;
        terms[2 * SmallDense.Group] = sums.Z;
        terms[3 * SmallDense.Group] = sums.W;
    }
}
