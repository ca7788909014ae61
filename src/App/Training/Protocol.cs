using AutoencoderGpu.Kernels.Operations;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Training;

/// <summary>What is added to SGD.</summary>
public enum ProtocolChoice
{
    /// <summary>The least that lets the convolutional model train from any seed.</summary>
    Stable,

    /// <summary>Nothing, as in the reference run.</summary>
    Reference,
}

/// <summary>How the learning rate goes on after warm-up.</summary>
public enum Schedule
{
    /// <summary>It stays, as in the reference run.</summary>
    Constant,

    /// <summary>
    /// It falls along half a cosine from its value before the first step to nothing after the last: rate · (1 + cos πp) / 2 at the
    /// share p of all steps (Loshchilov and Hutter, SGDR, https://arxiv.org/abs/1608.03983, without restarts).
    /// </summary>
    Cosine,
}

/// <summary>
/// How the learning rate begins and goes on and gradients are bounded. At a rate of 1.0 the bare protocol lets the convolutional
/// model's output bias overshoot within a few steps from nearly every seed; then every sigmoid is saturated and no gradient is
/// left. The fully connected model is stable as it is.
/// </summary>
/// <param name="WarmUpSteps">Steps over which the rate rises linearly to its value; 0 for none.</param>
/// <param name="MaximalGradientNorm">The norm at which the gradient is clipped; 0 for not.</param>
/// <param name="Schedule">After warm-up.</param>
public sealed record Protocol(int WarmUpSteps, float MaximalGradientNorm, Schedule Schedule = Schedule.Constant)
{
    private static readonly Protocol _bare = new(0, 0);
    private static readonly Protocol _stable = new(100, 0.25f);

    /// <summary>The protocol of a network: the named one, and over it what is given by itself.</summary>
    /// <remarks>Rules that divide a gradient by its size take no larger steps where it is large, so the stable protocol adds nothing to them.</remarks>
    public static Protocol Of(TrainingOptions options, Network network)
    {
        var isStable = options.Protocol == ProtocolChoice.Stable && options.OptimiserOf().State.Count < 2
            && network.Layers.Any(layer => layer is ConvLayer);
        var named = isStable ? _stable : _bare;
        return new(options.WarmUp ?? named.WarmUpSteps, (float)(options.ClipNorm ?? named.MaximalGradientNorm), options.Schedule);
    }

    /// <summary>The rates of an epoch's steps.</summary>
    /// <param name="rate">After warm-up.</param>
    /// <param name="epoch">From 1.</param>
    /// <param name="epochs">Of the whole training.</param>
    /// <param name="steps">Of an epoch.</param>
    public float[] LearningRates(double rate, int epoch, int epochs, int steps)
    {
        var rates = new float[steps];
        for (var step = 0; step < steps; step++)
        {
            var before = (epoch - 1L) * steps + step;
            var rise = before + 1 < WarmUpSteps ? (before + 1.0) / WarmUpSteps : 1;
            var fall = Schedule == Schedule.Cosine ? (1 + Math.Cos(Math.PI * before / ((double)epochs * steps))) / 2 : 1;
            rates[step] = (float)(rate * rise * fall);
        }

        return rates;
    }

    /// <summary>How an update rule is used, for people.</summary>
    public string Describe(Optimiser optimiser) =>
        (this with { Schedule = Schedule.Constant } == _bare && optimiser is SgdOptimiser ? "plain " : "") + optimiser.Title
        + (WarmUpSteps > 0 ? $", warm-up over {WarmUpSteps} steps" : "")
        + (MaximalGradientNorm > 0 ? FormattableString.Invariant($", gradient norm clipped at {MaximalGradientNorm}") : "")
        + (Schedule == Schedule.Cosine ? ", cosine schedule" : "");
}
