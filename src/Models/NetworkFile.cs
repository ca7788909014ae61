using System.Globalization;
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Operations;

namespace AutoencoderGpu.Models;

/// <summary>What a weights file says of its network, so that it is enough to run the model.</summary>
public static class NetworkFile
{
    private const string Model = "model";
    private const string Text = "notation";
    private const string Input = "input";
    private const string Upsample = "upsample";
    private const string LossName = "loss";
    private const string Mean = "mean";
    private const string Deviation = "deviation";

    /// <summary>A network as metadata.</summary>
    public static IReadOnlyDictionary<string, string> Of(Network network)
    {
        var metadata = new Dictionary<string, string>
        {
            [Model] = network.Name,
            [Text] = Notation.Of(network),
            [Input] = string.Create(CultureInfo.InvariantCulture, $"{network.Input.Height}x{network.Input.Width}x{network.Input.Channels}"),
            [LossName] = network.Loss.Name,
            [Mean] = Joined(network.Normalisation.Mean),
            [Deviation] = Joined(network.Normalisation.Deviation),
        };
        if (network.Layers.OfType<UpsampleLayer>().FirstOrDefault() is { } up)
            metadata[Upsample] = up.Interpolation.ToString().ToLowerInvariant();
        return metadata;
    }

    /// <summary>
    /// The network of a file: what its metadata describes or, where they say nothing, the published one that has tensors of these names.
    /// </summary>
    /// <param name="metadata">The file's.</param>
    /// <param name="tensors">The names of its tensors.</param>
    /// <param name="interpolation">Of a published convolutional network; null for what the file says, or bilinear if it says nothing.</param>
    /// <returns>null if it is neither.</returns>
    /// <exception cref="InvalidDataException">The metadata is no network's.</exception>
    public static Network? Read(IReadOnlyDictionary<string, string> metadata, IEnumerable<string> tensors, Interpolation? interpolation)
    {
        if (interpolation is null && metadata.TryGetValue(Upsample, out var text) && Enum.TryParse<Interpolation>(text, ignoreCase: true, out var recorded)
            && Enum.IsDefined(recorded))
        {
            interpolation = recorded;
        }

        var published = Network.Published(interpolation ?? Interpolation.Bilinear).FirstOrDefault(network => network.LayerNames().OfType<string>()
            .Any(layer => tensors.Any(name => name.StartsWith(layer + ".", StringComparison.Ordinal))));
        if (!metadata.TryGetValue(Text, out var notation))
            return published;
        var network = published is not null && IsOf(published.Name, notation)
            ? published
            : Parsed(notation, metadata.GetValueOrDefault(Input) ?? throw new InvalidDataException("its metadata names no input"));
        return network with { Loss = LossOf(metadata.GetValueOrDefault(LossName)), Normalisation = NormalisationOf(metadata, network.Input.Channels) };
    }

    /// <summary>Whether a text is that of a published network, however it upsamples.</summary>
    private static bool IsOf(string published, string notation) => Enum.GetValues<Interpolation>().SelectMany(Network.Published)
        .Any(network => network.Name == published && Notation.Of(network) == notation);

    private static Network Parsed(string notation, string input)
    {
        int[] sizes = [.. input.Split('x').Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : 0)];
        if (sizes is not [> 0, > 0, > 0])
            throw new InvalidDataException($"its metadata has an input of '{input}', which is no shape");
        try
        {
            var shape = new Shape(sizes[0], sizes[1], sizes[2]);
            shape.Check(nameof(input));
            return Notation.Parse(notation, shape, Interpolation.Bilinear);
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw new InvalidDataException($"its metadata's notation is no network: {e.Message.Split(" (Parameter")[0]}", e);
        }
    }

    private static Loss LossOf(string? name) => name is null
        ? Loss.All[0]
        : Loss.All.FirstOrDefault(loss => loss.Name == name) ?? throw new InvalidDataException($"its metadata has a loss '{name}', which there is not");

    private static Normalisation NormalisationOf(IReadOnlyDictionary<string, string> metadata, int channels)
    {
        if (!metadata.TryGetValue(Mean, out var means) || !metadata.TryGetValue(Deviation, out var deviations))
            return Normalisation.Mnist;
        try
        {
            var normalisation = new Normalisation(Split(means), Split(deviations));
            normalisation.Check(channels, nameof(metadata));
            return normalisation;
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            throw new InvalidDataException($"its metadata's normalisation is none: {e.Message.Split(" (Parameter")[0]}", e);
        }
    }

    private static string Joined(IReadOnlyList<double> values) => string.Join(' ', values.Select(value => value.ToString("R", CultureInfo.InvariantCulture)));

    private static double[] Split(string values) => [.. values.Split(' ').Select(value => double.Parse(value, CultureInfo.InvariantCulture))];
}
