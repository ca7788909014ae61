using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Training;

/// <summary>What is added to plain SGD.</summary>
public enum ProtocolChoice
{
    /// <summary>The least that lets the convolutional model train from any seed.</summary>
    Stable,

    /// <summary>Nothing, as in the reference run.</summary>
    Reference,
}

/// <summary>
/// How the learning rate begins and gradients are bounded. At a rate of 1.0 the bare protocol lets the convolutional model's
/// output bias overshoot within a few steps from nearly every seed; then every sigmoid is saturated and no gradient is left.
/// The fully connected model is stable as it is.
/// </summary>
/// <param name="WarmUpSteps">Steps over which the rate rises linearly to its value; 0 for none.</param>
/// <param name="MaximalGradientNorm">The norm at which the gradient is clipped; 0 for not.</param>
public sealed record Protocol(int WarmUpSteps, float MaximalGradientNorm)
{
    private static readonly Protocol _bare = new(0, 0);
    private static readonly Protocol _stable = new(100, 0.5f);

    /// <summary>The protocol of a network.</summary>
    public static Protocol Of(ProtocolChoice choice, Network network) =>
        choice == ProtocolChoice.Stable && network.Layers.Any(layer => layer is ConvLayer) ? _stable : _bare;

    /// <summary>The rates of an epoch's steps.</summary>
    /// <param name="rate">After warm-up.</param>
    /// <param name="epoch">From 1.</param>
    /// <param name="steps">Of an epoch.</param>
    public float[] LearningRates(double rate, int epoch, int steps)
    {
        var rates = new float[steps];
        for (var step = 0; step < steps; step++)
        {
            var done = (epoch - 1L) * steps + step + 1;
            rates[step] = (float)(done < WarmUpSteps ? rate * done / WarmUpSteps : rate);
        }

        return rates;
    }

    /// <inheritdoc/>
    public override string ToString() => this == _bare
        ? "plain SGD"
        : $"SGD, warm-up over {WarmUpSteps} steps, gradient norm clipped at {MaximalGradientNorm}";
}
