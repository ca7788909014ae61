using AutoencoderGpu.App.Data;
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Training;

/// <summary>
/// Which networks <c>--model</c> means: <c>both</c> published ones, <c>fc</c>, <c>conv</c>, or any in the <see cref="Notation"/>; several with
/// semicolons between.
/// </summary>
internal static class ModelChoice
{
    /// <summary>Both published networks.</summary>
    public const string Both = "both";

    private const string Separator = "; ";

    /// <summary>Several texts as one.</summary>
    public static string Join(IEnumerable<string> texts) => string.Join(Separator, texts);

    /// <summary>The text that chooses what the first does and, after them, what else the second does.</summary>
    /// <exception cref="UserError">A text is no network for such images.</exception>
    public static string Union(string first, string second, Shape images, Interpolation upsample)
    {
        var known = Networks(first, images, upsample).Select(entry => Notation.Of(entry.Network)).ToHashSet();
        return Join([first, .. Networks(second, images, upsample).Where(entry => !known.Contains(Notation.Of(entry.Network))).Select(entry => entry.Text)]);
    }

    /// <summary>The networks that are chosen, in the order in which they are trained, each with its own text.</summary>
    /// <exception cref="UserError">A text is no network for such images, or two are the same.</exception>
    public static IReadOnlyList<(string Text, Network Network)> Networks(string model, Shape images, Interpolation upsample)
    {
        var published = Network.Published(upsample);
        var chosen = new List<(string Text, Network Network)>();
        foreach (var text in model.Split(';').Select(part => part.Trim()))
        {
            if (string.Equals(text, Both, StringComparison.OrdinalIgnoreCase))
                chosen.AddRange(published.Select(network => (network.Name, network)));
            else if (published.FirstOrDefault(network => string.Equals(network.Name, text, StringComparison.OrdinalIgnoreCase)) is { } known)
                chosen.Add((known.Name, known));
            else
                chosen.Add((text, Parse(text, images, upsample)));
        }

        if (chosen.FirstOrDefault(entry => entry.Network.Input != images) is { Text: { } wrong, Network: { } other })
            throw new UserError(ExitCode.Usage, $"--model {wrong} is for images of {other.Input}, and these have {images}; a model in the notation takes any");
        return chosen.GroupBy(entry => entry.Network.Name).FirstOrDefault(group => group.Count() > 1) is { Key: var twice }
            ? throw new UserError(ExitCode.Usage, $"--model names {twice} twice")
            : chosen;
    }

    /// <summary>Looks whether the options go together, before any data is read.</summary>
    /// <exception cref="UserError">They do not.</exception>
    public static IReadOnlyList<Network> Check(TrainingOptions options, Shape images)
    {
        var networks = Networks(options.Model, images, options.Upsample);
        _ = options.OptimiserOf();
        if (options.LossOf().TargetsPixels
            && networks.FirstOrDefault(entry => Activations.Range(entry.Network.OutputActivation) is not ( >= 0, <= 1)) is { Text: { } text })
        {
            throw new UserError(ExitCode.Usage, $"--model {text}: --loss {options.Loss} wants outputs from 0 to 1, so its last layer ends in sigmoid");
        }

        return [.. networks.Select(entry => entry.Network)];
    }

    /// <summary>The networks of a run's options on its data.</summary>
    public static IReadOnlyList<(string Text, Network Network)> Networks(this TrainingOptions options, DataSet data)
    {
        var normalisation = options.Normalise == NormaliseChoice.None
            ? Normalisation.None(data.Train.Channels)
            : data.Normalisation ?? Normalisation.Measured(data.Train.Pixels, data.Train.Channels);
        var loss = options.LossOf();
        return
        [
            .. Networks(options.Model, data.Train.Shape, options.Upsample)
                .Select(entry => (entry.Text, entry.Network with { Normalisation = normalisation, Loss = loss })),
        ];
    }

    private static Network Parse(string text, Shape images, Interpolation upsample)
    {
        try
        {
            return Notation.Parse(text, images, upsample);
        }
        catch (NotationException e)
        {
            var names = text.All(char.IsAsciiLetter) ? "; known by name are fc, conv and both" : "";
            throw new UserError(ExitCode.Usage, $"--model: {e.Message}{names}; `autoencoder --help` shows what can be written", e);
        }
    }
}

/// <summary>How pixels become a network's input.</summary>
public enum NormaliseChoice
{
    /// <summary>By the data set's mean and deviation, of each channel.</summary>
    Dataset,

    /// <summary>They stay from 0 to 1.</summary>
    None,
}
