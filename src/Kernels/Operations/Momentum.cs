using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;
using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// Stochastic gradient descent with momentum and weight decay, as PyTorch's SGD: v = μ · v + g + λ · w, w −= rate · v, where v is 0 before the
/// first step (Polyak 1964; Sutskever et al. 2013, http://proceedings.mlr.press/v28/sutskever13.html).
/// </summary>
public struct Momentum : IOperation<Momentum>
{
    internal int Parameters;
    internal int Velocity;
    internal Gradients Gradients;
    internal float Factor;
    internal float Decay;

    /// <summary>The update.</summary>
    /// <param name="parameters">Arena offset of w; updated.</param>
    /// <param name="gradients">g. Partial sums are added up, into the first of them.</param>
    /// <param name="velocity">Arena offset of v, as long as w; updated.</param>
    /// <param name="momentum">μ, from 0 to below 1.</param>
    /// <param name="weightDecay">λ, 0 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public static Instruction Of(int parameters, Gradients gradients, int velocity, double momentum, double weightDecay)
    {
        Shapes.RequireRange(momentum is >= 0 and < 1, nameof(momentum), momentum, "Momentum is from 0 to below 1.");
        Shapes.RequireRange(weightDecay >= 0 && double.IsFinite(weightDecay), nameof(weightDecay), weightDecay, "Weight decay is 0 or more.");
        return new Instruction<Momentum>(new()
        {
            Parameters = parameters,
            Velocity = velocity,
            Gradients = gradients,
            Factor = (float)momentum,
            Decay = (float)weightDecay,
        });
    }

    static IReadOnlyList<IKernel<Momentum>> IOperation<Momentum>.Kernels { get; } =
        [PortableKernel<Momentum>.Elementwise("Momentum", Kernel, (i, _) => i.Gradients.Count, KernelRole.Update)];

    static void IOperation<Momentum>.Visit(ref Momentum i, OperandVisitor operands)
    {
        operands.Update(ref i.Parameters, i.Gradients.Count);
        operands.Update(ref i.Velocity, i.Gradients.Count);
        i.Gradients.Visit(operands, Access.Update);
    }

    static Cost IOperation<Momentum>.Cost(in Momentum i, int batch) => i.Gradients.Cost + new Cost(6L * i.Gradients.Count, 16L * i.Gradients.Count);

    internal static void Kernel(Momentum i, Buffers buffers, MiniBatch batch)
    {
        int index = Grid.GlobalIndex.X, inside = IntrinsicMath.Min(index, i.Gradients.Count - 1);
        var rate = buffers.LearningRates[batch.From(buffers).Step];
        float weight = buffers.Arena[i.Parameters + inside], velocity = buffers.Arena[i.Velocity + inside];
        var gradient = i.Gradients.At(buffers, inside) * i.Gradients.ClipFactor(buffers);
        if (index >= i.Gradients.Count)
            return;
        velocity = i.Factor * velocity + gradient + i.Decay * weight;
        buffers.Arena[i.Velocity + index] = velocity;
        buffers.Arena[i.Parameters + index] = weight - rate * velocity;
    }

    static unsafe void IOperation<Momentum>.Run<V>(in Momentum i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        float rate = buffers.LearningRates[batch.Step], clip = i.Gradients.ClipFactor(buffers);
        foreach (var block in worker.Items(i.Gradients.Blocks, Gradients.BlocksAtOnce))
        {
            var gradients = i.Gradients.Block<V>(buffers, block, out var count);
            float* weights = buffers.Arena + i.Parameters + block * Gradients.NormBlock, velocities = buffers.Arena + i.Velocity + block * Gradients.NormBlock;
            var k = 0;
            for (; k <= count - V.Width; k += V.Width)
                Update<V>(i, rate, clip, gradients + k, velocities + k, weights + k);
            for (; k < count; k++)
                Update<SimdScalar>(i, rate, clip, gradients + k, velocities + k, weights + k);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Update<T>(in Momentum i, float rate, float clip, float* gradient, float* velocity, float* weight)
        where T : unmanaged, ISimd<T>
    {
        var w = T.Load(weight);
        var v = T.MultiplyAdd(T.Broadcast(i.Decay), w, T.Broadcast(clip) * T.Load(gradient));
        v = T.MultiplyAdd(T.Broadcast(i.Factor), T.Load(velocity), v);
        T.Store(v, velocity);
        T.Store(T.MultiplyAdd(T.Broadcast(-rate), v, w), weight);
    }
}

/// <summary><see cref="Momentum"/> as a choice.</summary>
public sealed record MomentumOptimiser : Optimiser
{
    private readonly double _momentum;
    private readonly double _weightDecay;

    /// <summary>With PyTorch's usual 0.9 where no momentum is given.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public MomentumOptimiser(OptimiserSettings settings)
        : base("momentum", 0.1)
    {
        (_momentum, _weightDecay) = (settings.Momentum ?? 0.9, settings.WeightDecay ?? 0);
        _ = Momentum.Of(0, new(0, 1), 0, _momentum, _weightDecay);
    }

    /// <inheritdoc/>
    public override string Title => FormattableString.Invariant($"SGD with momentum {_momentum}") + DecayOf(_weightDecay);

    /// <inheritdoc/>
    public override IReadOnlyList<string> State => ["momentum_buffer"];

    /// <inheritdoc/>
    public override Instruction Update(int parameters, Gradients gradients, IReadOnlyList<int> state) =>
        Momentum.Of(parameters, gradients, state[0], _momentum, _weightDecay);

    /// <inheritdoc/>
    protected override Optimiser Configured(OptimiserSettings settings) => new MomentumOptimiser(settings);
}
