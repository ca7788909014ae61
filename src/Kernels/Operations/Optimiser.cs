using AutoencoderGpu.Kernels.Instructions;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>Numbers that some optimisers take.</summary>
/// <param name="Momentum">μ, from 0 to below 1; null for the optimiser's own.</param>
/// <param name="WeightDecay">λ, 0 or more; null for the optimiser's own.</param>
public sealed record OptimiserSettings(double? Momentum = null, double? WeightDecay = null);

/// <summary>
/// An update rule over the run of all parameters. It is a class beside the operation that computes it, with a constructor that takes nothing or
/// <see cref="OptimiserSettings"/>, and is found by being there.
/// </summary>
/// <param name="Name">As in options and files.</param>
/// <param name="LearningRate">Where none is given.</param>
public abstract record Optimiser(string Name, double LearningRate)
{
    /// <summary>All of them, the usual one first.</summary>
    public static IReadOnlyList<Optimiser> All { get; } = Choices.Of<Optimiser>(optimiser => optimiser.Name, "sgd", new OptimiserSettings());

    /// <summary>For people, with its numbers.</summary>
    public virtual string Title => Name;

    /// <summary>What it remembers of every parameter, by PyTorch's names; zeros before the first step.</summary>
    public virtual IReadOnlyList<string> State => [];

    /// <summary>The instruction that computes it.</summary>
    /// <param name="parameters">Arena offset of all parameters; updated.</param>
    /// <param name="gradients">Theirs.</param>
    /// <param name="state">Arena offsets of the <see cref="State"/>, each as long as the parameters.</param>
    public abstract Instruction Update(int parameters, Gradients gradients, IReadOnlyList<int> state);

    /// <summary>The optimiser of a name.</summary>
    /// <exception cref="ArgumentException">There is none, or it does not take what is given.</exception>
    public static Optimiser Named(string name, OptimiserSettings settings) =>
        All.FirstOrDefault(optimiser => optimiser.Name == name)?.Configured(settings)
            ?? throw new ArgumentException($"There is no optimiser '{name}'; there are {string.Join(", ", All.Select(optimiser => optimiser.Name))}.");

    /// <summary>Weight decay for people, nothing where there is none.</summary>
    private protected static string DecayOf(double weightDecay) => weightDecay > 0 ? FormattableString.Invariant($", weight decay {weightDecay}") : "";

    /// <summary>This optimiser with other numbers.</summary>
    /// <exception cref="ArgumentException">It does not take them.</exception>
    protected virtual Optimiser Configured(OptimiserSettings settings) => settings == new OptimiserSettings()
        ? this
        : throw new ArgumentException($"It takes {(settings.Momentum is null ? "no weight decay" : "no momentum")}.");
}
