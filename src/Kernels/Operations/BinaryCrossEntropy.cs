using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Products;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;
using ILGPU;
using ILGPU.Algorithms;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// The loss L = −1/(B·N) · Σ_{b,k} (t · ln y + (1 − t) · ln (1 − y)), t and y in 0 to 1, with logarithms bounded at −100 as in PyTorch, and its
/// gradient before the last activation f, ∂L/∂(pre-activation) = 1/(B·N) · (y − t) / max(y · (1 − y), 10⁻¹²) · f′. Each image's own mean is
/// stored at its place in the epoch, as by <see cref="MeanSquaredError"/>.
/// </summary>
public struct BinaryCrossEntropy : IOperation<BinaryCrossEntropy>, IPixelwiseLoss
{
    internal FeatureMap Input;
    internal FeatureMap Target;
    internal FeatureMap Gradient;
    internal Activation Derivative;

    private const float LeastLogarithm = -100f;
    private const float LeastVariance = 1e-12f;

    /// <summary>The smallest normal float, below which logarithms are bounded anyway.</summary>
    private const float Tiny = 1.17549435e-38f;

    /// <summary>The loss and, if wanted, its gradient.</summary>
    /// <param name="output">y (B, H, W, C).</param>
    /// <param name="target">t of the same shape.</param>
    /// <param name="gradient">Of the same shape; overwritten. <c>default</c> where only the loss is wanted.</param>
    /// <param name="outputActivation">f, the activation that made y.</param>
    /// <exception cref="ArgumentException">The maps' shapes do not match.</exception>
    public static Instruction Of(FeatureMap output, FeatureMap target, FeatureMap gradient, Activation outputActivation)
    {
        Shapes.Require(
            output.HasShapeOf(target) && (gradient.IsNone || gradient.HasShapeOf(output)),
            "BinaryCrossEntropy", "maps of one shape", output, target, gradient);
        return new Instruction<BinaryCrossEntropy>(
            new() { Input = output, Target = target, Gradient = gradient, Derivative = outputActivation });
    }

    static IReadOnlyList<IKernel<BinaryCrossEntropy>> IOperation<BinaryCrossEntropy>.Kernels { get; } =
        [new PortableKernel<BinaryCrossEntropy>("BinaryCrossEntropy", Kernel, GroupSum.GroupSize, (in _, batch) => new(batch, 1, 1))];

    static void IOperation<BinaryCrossEntropy>.Visit(ref BinaryCrossEntropy i, OperandVisitor operands)
    {
        operands.Read(ref i.Input);
        operands.Read(ref i.Target);
        operands.Write(ref i.Gradient);
        operands.Losses();
    }

    /// <summary>A logarithm is counted as 20 operations.</summary>
    static Cost IOperation<BinaryCrossEntropy>.Cost(in BinaryCrossEntropy i, int batch) => i.Gradient.IsNone
        ? new(45L * batch * i.Input.Size, 8L * batch * i.Input.Size)
        : new(52L * batch * i.Input.Size, 12L * batch * i.Input.Size);

    internal static void Kernel(BinaryCrossEntropy i, Buffers buffers, MiniBatch batch)
    {
        int image = Grid.IdxX, thread = Group.IdxX, size = i.Input.Size;
        var factor = 1f / ((float)batch.Count * size);
        var sum = 0f;
        for (var k = thread; k < size; k += GroupSum.GroupSize)
        {
            int pixel = k / i.Input.Channels, row = pixel / i.Input.Width, column = pixel - row * i.Input.Width, channel = k - pixel * i.Input.Channels;
            float output = buffers.Arena[i.Input.At(image, row, column) + channel], target = buffers.Arena[i.Target.At(image, row, column) + channel];
            sum -= target * Logarithm(output) + (1f - target) * Logarithm(1f - output);
            if (!i.Gradient.IsNone)
            {
                buffers.Arena[i.Gradient.At(image, row, column) + channel] = factor * (output - target)
                    / IntrinsicMath.Max(output * (1f - output), LeastVariance) * Activations.Derivative(i.Derivative, output);
            }
        }

        sum = GroupSum.Of(sum);
        if (thread == 0)
            buffers.Losses[batch.From(buffers).First + image] = sum / size;
    }

    private static float Logarithm(float x)
    {
        // Near 1 the difference to it decides, and a GPU's logarithm has lost it: the series of the inverse hyperbolic tangent.
        float s = (x - 1f) / (x + 1f), z = s * s;
        var near = 2f * s * (1f + z * (1f / 3f + z * (1f / 5f + z * (1f / 7f + z * (1f / 9f + z * (1f / 11f))))));
        var logarithm = x > 0.5f && x < 2f ? near : XMath.Log(x);
        // A choice and no branch: a compiler that turns the comparison round would take NaN for a small number.
        return x < Tiny ? LeastLogarithm : logarithm;
    }

    static void IOperation<BinaryCrossEntropy>.Run<V>(in BinaryCrossEntropy i, in HostBuffers buffers, in MiniBatch batch, Worker worker) =>
        IPixelwiseLoss.Run<BinaryCrossEntropy, V>(
            i.Input, i.Target, i.Gradient, i.Derivative, 1f / ((float)batch.Count * i.Input.Size), buffers, batch, worker);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static unsafe T IPixelwiseLoss.Terms<T>(Activation derivative, float* output, float* target, float* gradient, float factor)
    {
        T y = T.Load(output), t = T.Load(target), one = T.Broadcast(1f), rest = one - y;
        if (gradient != null)
        {
            var slope = T.Broadcast(factor) * (y - t) / T.Max(T.Broadcast(LeastVariance), y * rest);
            T.Store(Activations<T>.TimesDerivative(derivative, y, slope), gradient);
        }

        return default(T) - T.MultiplyAdd(t, Logarithm(y), (one - t) * Logarithm(rest));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Logarithm<T>(T x)
        where T : unmanaged, ISimd<T>
    {
        // Not a number, which the greater of two keeps, has to come through; its exponent says nothing.
        T tiny = T.Broadcast(Tiny), bounded = T.Max(tiny, x), above = x - tiny, one = T.Broadcast(1f);
        return T.WherePositive(above, VectorMath<T>.Log(bounded)) + T.Broadcast(LeastLogarithm) * (one - T.WherePositive(above, one)) + (bounded - bounded);
    }
}

/// <summary><see cref="BinaryCrossEntropy"/> as a choice; the target is the pixel in 0 to 1, however the network's input is normalised.</summary>
public sealed record BinaryCrossEntropyLoss() : Loss("bce", "binary cross-entropy", true)
{
    /// <inheritdoc/>
    public override Instruction Evaluate(FeatureMap output, FeatureMap target, FeatureMap gradient, Activation outputActivation) =>
        BinaryCrossEntropy.Of(output, target, gradient, outputActivation);

    /// <inheritdoc/>
    public override double Value(double output, double target) =>
        -(target * Math.Max(-100, Math.Log(output)) + (1 - target) * Math.Max(-100, Math.Log(1 - output)));
}
