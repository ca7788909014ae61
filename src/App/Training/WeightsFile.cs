using AutoencoderGpu.Kernels;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Training;

/// <summary>Reads weights that a user names; what is wrong with them is said in one line.</summary>
internal static class WeightsFile
{
    /// <summary>The network that the file is of: what its metadata says or, where they say nothing, the published one of its tensors' names.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <param name="interpolation">Of the published convolutional network; null for what the file says, or bilinear if it says nothing.</param>
    /// <exception cref="UserError">The file is missing, damaged or of no known model.</exception>
    public static Network NetworkOf(string path, Interpolation? interpolation) => Read(path, () =>
    {
        var file = Safetensors.Load(path);
        return NetworkFile.Read(file.Metadata, file.Tensors.Keys, interpolation) ?? throw new UserError(
            ExitCode.Data,
            $"{path} holds weights of no known model: it says of none, and none of its {file.Tensors.Count} tensors has a name such as fcEncoder1.weight");
    });

    /// <summary>Looks whether weights are of a network for such images.</summary>
    /// <exception cref="UserError">They are of one for others.</exception>
    public static void RequireShape(string path, Network network, Shape images)
    {
        if (network.Input != images)
            throw new UserError(ExitCode.Data, $"{path} holds weights of a model for images of {network.Input}, and these have {images}");
    }

    /// <summary>Sets a model's parameters from a file.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <param name="model">Which model.</param>
    /// <exception cref="UserError">The file is missing, damaged or of another model.</exception>
    public static void Load(string path, Model model) => Read(path, () =>
    {
        var file = Safetensors.Load(path);
        if (file.Tensors.FirstOrDefault(tensor => !tensor.Value.Values.All(float.IsFinite)).Key is { } name)
            throw new InvalidDataException($"tensor '{name}' holds values that are not finite");
        Weights.CopyTo(model, file.Tensors);
        return file;
    });

    /// <summary>Looks whether a file can be read.</summary>
    /// <exception cref="UserError">It is missing, or a folder.</exception>
    public static void RequireFile(string path) => Read(path, () =>
    {
        using var file = InputFile.Open(path, long.MaxValue);
        return 0;
    });

    private static T Read<T>(string path, Func<T> read)
    {
        if (path.Length == 0)
            throw new UserError(ExitCode.Usage, "the weights' file has an empty name; name one such as RUN/fc/best.safetensors");
        if (Directory.Exists(path))
            throw new UserError(ExitCode.Data, $"{path} is a folder; name a file in it, such as best.safetensors");
        try
        {
            return read();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UserError(ExitCode.Data, $"{path} is not there; a run's weights are RUN/MODEL/best.safetensors, such as RUN/fc/best.safetensors", e);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new UserError(ExitCode.Data, $"{path} cannot be used: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }
}
