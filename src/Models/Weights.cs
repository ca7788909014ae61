using AutoencoderGpu.Kernels;

namespace AutoencoderGpu.Models;

/// <summary>A model's parameters as files hold them, with PyTorch's names and shapes.</summary>
public static class Weights
{
    /// <summary>All tensors of a model.</summary>
    public static IReadOnlyList<(string Name, Tensor Tensor)> Of(Model model) =>
        [.. model.Parameters.Select(parameter => (parameter.Name, new Tensor(parameter.Shape, model.Read(parameter))))];

    /// <summary>Sets all of a model's parameters.</summary>
    /// <exception cref="InvalidDataException">A tensor is missing, superfluous or of another shape.</exception>
    public static void CopyTo(Model model, IReadOnlyDictionary<string, Tensor> tensors)
    {
        foreach (var parameter in model.Parameters)
        {
            if (!tensors.TryGetValue(parameter.Name, out var tensor))
                throw new InvalidDataException($"tensor '{parameter.Name}' is missing");
            if (!tensor.Shape.SequenceEqual(parameter.Shape))
            {
                throw new InvalidDataException(
                    $"tensor '{parameter.Name}' has shape ({string.Join(", ", tensor.Shape)}), not ({string.Join(", ", parameter.Shape)})");
            }
        }

        if (tensors.Keys.FirstOrDefault(name => model.Parameters.All(parameter => parameter.Name != name)) is { } unknown)
            throw new InvalidDataException($"tensor '{unknown}' is not part of the {model.Network.Title} model");
        foreach (var parameter in model.Parameters)
            model.Write(parameter, tensors[parameter.Name].Values);
    }

    /// <summary>The network that tensors of these names belong to, or null.</summary>
    public static Network? NetworkOf(IEnumerable<string> names, Interpolation interpolation) =>
        Network.Published(interpolation).FirstOrDefault(network => names.Any(name =>
                network.Layers.OfType<WeightedLayer>().Any(layer => name.StartsWith(layer.Name + ".", StringComparison.Ordinal))));
}
