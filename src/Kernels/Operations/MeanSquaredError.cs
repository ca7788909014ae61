using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Products;
using AutoencoderGpu.Kernels.Threads;
using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// The loss L = 1/(B·N) · Σ_{b,k} (y[b, k] − t[b, k])² and its gradient before the last activation f,
/// ∂L/∂(pre-activation)[b, k] = 2/(B·N) · (y[b, k] − t[b, k]) · f′. Each image's own mean is stored at its place in the epoch;
/// the host averages them in double precision, so no sum crosses workers or groups.
/// </summary>
public struct MeanSquaredError : IOperation<MeanSquaredError>, IPixelwiseLoss
{
    internal FeatureMap Input;
    internal FeatureMap Target;
    internal FeatureMap Gradient;
    internal Activation Derivative;

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
            "MeanSquaredError", "maps of one shape", output, target, gradient);
        return new Instruction<MeanSquaredError>(
            new() { Input = output, Target = target, Gradient = gradient, Derivative = outputActivation });
    }

    static IReadOnlyList<IKernel<MeanSquaredError>> IOperation<MeanSquaredError>.Kernels { get; } =
        [new PortableKernel<MeanSquaredError>("MeanSquaredError", Kernel, GroupSum.GroupSize, (in _, batch) => new(batch, 1, 1))];

    static void IOperation<MeanSquaredError>.Visit(ref MeanSquaredError i, OperandVisitor operands)
    {
        operands.Read(ref i.Input);
        operands.Read(ref i.Target);
        operands.Write(ref i.Gradient);
        operands.Losses();
    }

    static Cost IOperation<MeanSquaredError>.Cost(in MeanSquaredError i, int batch) => i.Gradient.IsNone
        ? new(3L * batch * i.Input.Size, 8L * batch * i.Input.Size)
        : new(7L * batch * i.Input.Size, 12L * batch * i.Input.Size);

    internal static void Kernel(MeanSquaredError i, Buffers buffers, MiniBatch batch)
    {
        int image = Grid.IdxX, thread = Group.IdxX, size = i.Input.Size;
        var factor = 2f / ((float)batch.Count * size);
        var sum = 0f;
        for (var k = thread; k < size; k += 4 * GroupSum.GroupSize)
        {
            // Four values are read before the first gradient is stored, for no read is moved ahead of a store.
            Float4 output = Read(i, buffers, i.Input, image, k), target = Read(i, buffers, i.Target, image, k);
            sum += Take(i, buffers, image, k, output.X, target.X, factor);
            sum += Take(i, buffers, image, k + GroupSum.GroupSize, output.Y, target.Y, factor);
            sum += Take(i, buffers, image, k + 2 * GroupSum.GroupSize, output.Z, target.Z, factor);
            sum += Take(i, buffers, image, k + 3 * GroupSum.GroupSize, output.W, target.W, factor);
        }

        sum = GroupSum.Of(sum);
        if (thread == 0)
            buffers.Losses[batch.From(buffers).First + image] = sum / size;
    }

    /// <summary>Every 256th value of an image from the k-th on; beyond the image, its last one.</summary>
    private static Float4 Read(in MeanSquaredError i, in Buffers buffers, in FeatureMap map, int image, int k) => new()
    {
        X = buffers.Arena[Place(i, map, image, k)],
        Y = buffers.Arena[Place(i, map, image, k + GroupSum.GroupSize)],
        Z = buffers.Arena[Place(i, map, image, k + 2 * GroupSum.GroupSize)],
        W = buffers.Arena[Place(i, map, image, k + 3 * GroupSum.GroupSize)],
    };

    /// <summary>Stores a value's gradient; its squared error.</summary>
    private static float Take(in MeanSquaredError i, in Buffers buffers, int image, int k, float output, float target, float factor)
    {
        if (k >= i.Input.Size)
            return 0f;
        var error = output - target;
        if (!i.Gradient.IsNone)
            buffers.Arena[Place(i, i.Gradient, image, k)] = factor * error * Activations.Derivative(i.Derivative, output);
        return error * error;
    }

    /// <summary>Where a map has the k-th value of an image; all maps are counted in the output's shape, so that it is divided once.</summary>
    private static int Place(in MeanSquaredError i, in FeatureMap map, int image, int k)
    {
        k = IntrinsicMath.Min(k, i.Input.Size - 1);
        int pixel = k / i.Input.Channels, row = pixel / i.Input.Width;
        return map.At(image, row, pixel - row * i.Input.Width) + k - pixel * i.Input.Channels;
    }

    static void IOperation<MeanSquaredError>.Run<V>(in MeanSquaredError i, in HostBuffers buffers, in MiniBatch batch, Worker worker) =>
        IPixelwiseLoss.Run<MeanSquaredError, V>(
            i.Input, i.Target, i.Gradient, i.Derivative, 2f / ((float)batch.Count * i.Input.Size), buffers, batch, worker);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static unsafe T IPixelwiseLoss.Terms<T>(Activation derivative, float* output, float* target, float* gradient, float factor)
    {
        var y = T.Load(output);
        var error = y - T.Load(target);
        if (gradient != null)
            T.Store(Activations<T>.TimesDerivative(derivative, y, T.Broadcast(factor) * error), gradient);
        return error * error;
    }
}

/// <summary><see cref="MeanSquaredError"/> as a choice; the target is the normalised image.</summary>
public sealed record MeanSquaredErrorLoss() : Loss("mse", "mean squared error", false)
{
    /// <inheritdoc/>
    public override Instruction Evaluate(FeatureMap output, FeatureMap target, FeatureMap gradient, Activation outputActivation) =>
        MeanSquaredError.Of(output, target, gradient, outputActivation);

    /// <inheritdoc/>
    public override double Value(double output, double target) => (output - target) * (output - target);
}
