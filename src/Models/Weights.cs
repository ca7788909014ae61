namespace AutoencoderGpu.Models;

/// <summary>A model's parameters as files hold them, with PyTorch's names and shapes.</summary>
public static class Weights
{
    /// <summary>All tensors of a model.</summary>
    public static IReadOnlyList<(string Name, Tensor Tensor)> Of(Model model) =>
        [.. model.Parameters.Select(parameter => (parameter.Name, new Tensor(parameter.Shape, model.Read(parameter))))];

    /// <summary>What the optimiser remembers.</summary>
    public static IReadOnlyList<(string Name, Tensor Tensor)> StateOf(Model model) =>
        [.. model.State.Select(state => (state.Name, new Tensor(state.Shape, model.Read(state))))];

    /// <summary>Sets all of a model's parameters.</summary>
    /// <param name="model">Which model.</param>
    /// <param name="tensors">By name.</param>
    /// <param name="withState">Whether the optimiser's state is among them, and set too.</param>
    /// <exception cref="InvalidDataException">A tensor is missing, superfluous or of another shape; nothing is set.</exception>
    public static void CopyTo(Model model, IReadOnlyDictionary<string, Tensor> tensors, bool withState = false)
    {
        IReadOnlyList<Parameter> wanted = withState ? [.. model.Parameters, .. model.State] : model.Parameters;
        foreach (var parameter in wanted)
        {
            if (!tensors.TryGetValue(parameter.Name, out var tensor))
                throw new InvalidDataException($"tensor '{parameter.Name}' is missing");
            if (!tensor.Shape.SequenceEqual(parameter.Shape))
            {
                throw new InvalidDataException(
                    $"tensor '{parameter.Name}' has shape ({string.Join(", ", tensor.Shape)}), not ({string.Join(", ", parameter.Shape)})");
            }
        }

        if (tensors.Keys.FirstOrDefault(name => wanted.All(parameter => parameter.Name != name)) is { } unknown)
            throw new InvalidDataException($"tensor '{unknown}' is not part of the {model.Network.Title} model");
        foreach (var parameter in wanted)
            model.Write(parameter, tensors[parameter.Name].Values);
    }
}
