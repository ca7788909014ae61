using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;
using ILGPU;
using ILGPU.Algorithms;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// Adam (Kingma and Ba 2015, https://arxiv.org/abs/1412.6980): m = β₁ · m + (1 − β₁) · g, v = β₂ · v + (1 − β₂) · g²,
/// w −= rate · m̂ / (√v̂ + ε) with m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ), where t counts steps from 1 and m and v are 0 before the first. Weight decay
/// adds λ · w to g; decoupled from it, as in AdamW (Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101), it takes rate · λ · w from w.
/// </summary>
public struct Adam : IOperation<Adam>
{
    internal int Parameters;
    internal int First;
    internal int Second;
    internal Gradients Gradients;
    internal float CoupledDecay;
    internal float DecoupledDecay;

    private const float Beta1 = 0.9f;
    private const float Beta2 = 0.999f;
    private const float Epsilon = 1e-8f;
    private const float LogBeta1 = -0.105360515657826f;
    private const float LogBeta2 = -0.00100050033358353f;

    /// <summary>The update, with the authors' β₁ = 0.9, β₂ = 0.999 and ε = 10⁻⁸.</summary>
    /// <param name="parameters">Arena offset of w; updated.</param>
    /// <param name="gradients">g. Partial sums are added up, into the first of them.</param>
    /// <param name="first">Arena offset of m, as long as w; updated.</param>
    /// <param name="second">Arena offset of v, as long as w; updated.</param>
    /// <param name="weightDecay">λ, 0 or more.</param>
    /// <param name="isDecoupled">Whether weight decay is.</param>
    /// <exception cref="ArgumentOutOfRangeException">λ is out of range.</exception>
    public static Instruction Of(int parameters, Gradients gradients, int first, int second, double weightDecay, bool isDecoupled)
    {
        Shapes.RequireRange(weightDecay >= 0 && double.IsFinite(weightDecay), nameof(weightDecay), weightDecay, "Weight decay is 0 or more.");
        return new Instruction<Adam>(new()
        {
            Parameters = parameters,
            First = first,
            Second = second,
            Gradients = gradients,
            CoupledDecay = isDecoupled ? 0f : (float)weightDecay,
            DecoupledDecay = isDecoupled ? (float)weightDecay : 0f,
        });
    }

    static IReadOnlyList<IKernel<Adam>> IOperation<Adam>.Kernels { get; } =
        [PortableKernel<Adam>.Elementwise("Adam", Kernel, (i, _) => i.Gradients.Count, KernelRole.Update)];

    static void IOperation<Adam>.Visit(ref Adam i, OperandVisitor operands)
    {
        operands.Update(ref i.Parameters, i.Gradients.Count);
        operands.Update(ref i.First, i.Gradients.Count);
        operands.Update(ref i.Second, i.Gradients.Count);
        i.Gradients.Visit(operands, Access.Update);
    }

    static Cost IOperation<Adam>.Cost(in Adam i, int batch) => i.Gradients.Cost + new Cost(16L * i.Gradients.Count, 24L * i.Gradients.Count);

    internal static void Kernel(Adam i, Buffers buffers, MiniBatch batch)
    {
        int index = Grid.GlobalIndex.X, inside = IntrinsicMath.Min(index, i.Gradients.Count - 1);
        var moment = batch.From(buffers);
        float rate = buffers.LearningRates[moment.Step], weight = buffers.Arena[i.Parameters + inside];
        float m = buffers.Arena[i.First + inside], v = buffers.Arena[i.Second + inside];
        var gradient = i.Gradients.At(buffers, inside) * i.Gradients.ClipFactor(buffers) + i.CoupledDecay * weight;
        if (index >= i.Gradients.Count)
            return;
        m += (1f - Beta1) * (gradient - m);
        v = Beta2 * v + (1f - Beta2) * gradient * gradient;
        buffers.Arena[i.First + index] = m;
        buffers.Arena[i.Second + index] = v;
        weight -= rate * i.DecoupledDecay * weight;
        var size = XMath.Sqrt(v) / XMath.Sqrt(Rest(LogBeta2, moment.Time)) + Epsilon;
        buffers.Arena[i.Parameters + index] = weight - rate / Rest(LogBeta1, moment.Time) * (m / size);
    }

    static unsafe void IOperation<Adam>.Run<V>(in Adam i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        var rate = buffers.LearningRates[batch.Step];
        var numbers = new Numbers(
            i.Gradients.ClipFactor(buffers), i.CoupledDecay, 1f - rate * i.DecoupledDecay, rate / Rest(LogBeta1, batch.Time),
            1f / MathF.Sqrt(Rest(LogBeta2, batch.Time)));
        foreach (var block in worker.Items(i.Gradients.Blocks, Gradients.BlocksAtOnce))
        {
            var gradients = i.Gradients.Block<V>(buffers, block, out var count);
            var at = buffers.Arena + block * Gradients.NormBlock;
            var k = 0;
            for (; k <= count - V.Width; k += V.Width)
                Update<V>(numbers, gradients + k, at + i.First + k, at + i.Second + k, at + i.Parameters + k);
            for (; k < count; k++)
                Update<SimdScalar>(numbers, gradients + k, at + i.First + k, at + i.Second + k, at + i.Parameters + k);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void Update<T>(in Numbers numbers, float* gradient, float* first, float* second, float* weight)
        where T : unmanaged, ISimd<T>
    {
        T w = T.Load(weight), m = T.Load(first);
        var g = T.MultiplyAdd(T.Broadcast(numbers.CoupledDecay), w, T.Broadcast(numbers.Clip) * T.Load(gradient));
        m = T.MultiplyAdd(T.Broadcast(1f - Beta1), g - m, m);
        var v = T.MultiplyAdd(T.Broadcast(Beta2), T.Load(second), T.Broadcast(1f - Beta2) * g * g);
        T.Store(m, first);
        T.Store(v, second);
        var size = T.MultiplyAdd(T.Sqrt(v), T.Broadcast(numbers.Correction), T.Broadcast(Epsilon));
        T.Store(T.Broadcast(numbers.Keep) * w - T.Broadcast(numbers.Step) * m / size, weight);
    }

    /// <summary>1 − βᵗ = −(e^{t · ln β} − 1), whose series near 0 keeps what a difference to 1 would lose.</summary>
    private static float Rest(float logarithm, int time)
    {
        var x = time * logarithm;
        if (x < -0.5f)
            return 1f - XMath.Exp(x);
        return -x * (1f + x / 2f * (1f + x / 3f * (1f + x / 4f * (1f + x / 5f * (1f + x / 6f * (1f + x / 7f * (1f + x / 8f)))))));
    }

    /// <summary>What is the same for all parameters of a step.</summary>
    private readonly record struct Numbers(float Clip, float CoupledDecay, float Keep, float Step, float Correction);
}

/// <summary><see cref="Adam"/> as a choice.</summary>
public record AdamOptimiser : Optimiser
{
    private readonly double _weightDecay;
    private readonly bool _isDecoupled;

    /// <summary>Without weight decay where none is given.</summary>
    public AdamOptimiser(OptimiserSettings settings)
        : this("adam", settings, 0, isDecoupled: false)
    {
    }

    private protected AdamOptimiser(string name, OptimiserSettings settings, double weightDecay, bool isDecoupled)
        : base(name, 0.001)
    {
        if (settings.Momentum is not null)
            throw new ArgumentException("It takes no momentum.", nameof(settings));
        (_weightDecay, _isDecoupled) = (settings.WeightDecay ?? weightDecay, isDecoupled);
        _ = Adam.Of(0, new(0, 1), 0, 0, _weightDecay, isDecoupled);
    }

    /// <inheritdoc/>
    public override string Title => (_isDecoupled ? "AdamW" : "Adam") + DecayOf(_weightDecay);

    /// <inheritdoc/>
    public override IReadOnlyList<string> State => ["exp_avg", "exp_avg_sq"];

    /// <inheritdoc/>
    public override Instruction Update(int parameters, Gradients gradients, IReadOnlyList<int> state) =>
        Adam.Of(parameters, gradients, state[0], state[1], _weightDecay, _isDecoupled);

    /// <inheritdoc/>
    protected override Optimiser Configured(OptimiserSettings settings) => new AdamOptimiser(settings);
}

/// <summary><see cref="Adam"/> with decoupled weight decay as a choice; 0.01 as in PyTorch where none is given.</summary>
public sealed record AdamWOptimiser(OptimiserSettings Settings) : AdamOptimiser("adamw", Settings, 0.01, true)
{
    /// <inheritdoc/>
    protected override Optimiser Configured(OptimiserSettings settings) => new AdamWOptimiser(settings);
}
