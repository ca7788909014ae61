using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Threads;
using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// The gradient of what <see cref="Upsample2x"/> read: each pixel sums over the outputs that it went into,
/// ∂L/∂x[b, i, j, c] = f′(x) · Σ_{p,q} u(p, i) · v(q, j) · g[b, p, q, c], where f is the activation that made x.
/// </summary>
public struct Upsample2xBackward : IOperation<Upsample2xBackward>
{
    internal FeatureMap OutputGradient;
    internal FeatureMap Saved;
    internal FeatureMap InputGradient;
    internal Interpolation Interpolation;
    internal Activation Derivative;

    /// <summary>The gradient of the input.</summary>
    /// <param name="outputGradient">g (B, 2H, 2W, C).</param>
    /// <param name="input">x as in the forward pass.</param>
    /// <param name="inputGradient">(B, H, W, C); overwritten.</param>
    /// <param name="interpolation">Bilinear or nearest.</param>
    /// <param name="inputActivation">f.</param>
    /// <exception cref="ArgumentException">The maps' shapes do not match.</exception>
    public static Instruction Of(
        FeatureMap outputGradient, FeatureMap input, FeatureMap inputGradient, Interpolation interpolation, Activation inputActivation)
    {
        Upsample2x.RequireShapes(input, outputGradient);
        Shapes.Require(input.HasShapeOf(inputGradient), "Upsample2xBackward", "an input's gradient of the input's shape", input, inputGradient);
        return new Instruction<Upsample2xBackward>(new()
        {
            OutputGradient = outputGradient,
            Saved = input,
            InputGradient = inputGradient,
            Interpolation = interpolation,
            Derivative = inputActivation,
        });
    }

    static IReadOnlyList<IKernel<Upsample2xBackward>> IOperation<Upsample2xBackward>.Kernels { get; } =
        [PortableKernel<Upsample2xBackward>.Elementwise("Upsample2xBackward", Kernel, (i, batch) => batch * i.InputGradient.Size)];

    static void IOperation<Upsample2xBackward>.Visit(ref Upsample2xBackward i, OperandVisitor operands)
    {
        operands.Read(ref i.OutputGradient);
        operands.Read(ref i.Saved);
        operands.Write(ref i.InputGradient);
    }

    static Cost IOperation<Upsample2xBackward>.Cost(in Upsample2xBackward i, int batch) =>
        new(8L * batch * i.OutputGradient.Size, 4L * batch * (i.OutputGradient.Size + 2 * i.InputGradient.Size));

    static long IOperation<Upsample2xBackward>.ScratchLength<V>(in Upsample2xBackward i) =>
        Upsample2x.ScratchLength(i.InputGradient.Width, i.OutputGradient.Width * i.OutputGradient.Channels);

    internal static void Kernel(Upsample2xBackward i, Buffers buffers, MiniBatch batch)
    {
        var index = Grid.GlobalIndex.X;
        if (index >= batch.Count * i.InputGradient.Size)
            return;
        int pixel = index / i.InputGradient.Channels, channel = index - pixel * i.InputGradient.Channels;
        int row = pixel / i.InputGradient.Width, image = row / i.InputGradient.Height;
        int y = row - image * i.InputGradient.Height, x = pixel - row * i.InputGradient.Width;
        var sum = 0f;
        for (var p = IntrinsicMath.Max(0, 2 * y - 1); p <= IntrinsicMath.Min(i.OutputGradient.Height - 1, 2 * y + 2); p++)
        {
            var vertical = Upsample2x.Position.Of(i.Interpolation, p, i.InputGradient.Height).WeightOf(y);
            if (vertical == 0f)
                continue;
            for (var q = IntrinsicMath.Max(0, 2 * x - 1); q <= IntrinsicMath.Min(i.OutputGradient.Width - 1, 2 * x + 2); q++)
            {
                var weight = vertical * Upsample2x.Position.Of(i.Interpolation, q, i.InputGradient.Width).WeightOf(x);
                sum += weight * buffers.Arena[i.OutputGradient.At(image, p, q) + channel];
            }
        }

        var derivative = Activations.Derivative(i.Derivative, buffers.Arena[i.Saved.AtPixel(pixel) + channel]);
        buffers.Arena[i.InputGradient.AtPixel(pixel) + channel] = sum * derivative;
    }

    /// <summary>Workers take rows of ∂L/∂x: the rows of g that reach one are added up, then its columns.</summary>
    static unsafe void IOperation<Upsample2xBackward>.Run<V>(in Upsample2xBackward i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        int height = i.InputGradient.Height, width = i.InputGradient.Width, channels = i.InputGradient.Channels;
        var sums = worker.Scratch;
        InterpolationWeights rows = new(ref sums, 1), columns = new(ref sums, width);
        for (var x = 0; x < width; x++)
            columns.AddOutputs(x, i.Interpolation, x, width, 0, channels);
        foreach (var row in worker.Items(batch.Count * height))
        {
            var image = row / height;
            rows.Clear(0);
            rows.AddOutputs(0, i.Interpolation, row - image * height, height, 0, i.OutputGradient.RowStride);
            rows.Sum<V>(0, buffers.Arena + i.OutputGradient.At(image, 0, 0), sums, i.OutputGradient.Width * channels);
            var output = buffers.Arena + i.InputGradient.AtPixel(row * width);
            for (var x = 0; x < width; x++)
                columns.Sum<V>(x, sums, output + x * channels, channels);
            Activations<V>.TimesDerivative(i.Derivative, buffers.Arena + i.Saved.AtPixel(row * width), output, output, width * channels);
        }
    }
}
