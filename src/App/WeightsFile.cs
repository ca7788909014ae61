using AutoencoderGpu.Kernels;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.App;

/// <summary>Reads weights that a user names; what is wrong with them is said in one line.</summary>
internal static class WeightsFile
{
    /// <summary>The metadata that tells how a convolutional network upsamples, which no tensor does.</summary>
    public const string UpsampleKey = "upsample";

    /// <summary>The network that the file's tensors belong to, read off their names.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <param name="interpolation">Of the convolutional network; null for what the file says, or bilinear if it says nothing.</param>
    /// <exception cref="UserError">The file is missing, damaged or of another model.</exception>
    public static Network NetworkOf(string path, Interpolation? interpolation)
    {
        var file = Read(path);
        if (interpolation is null && file.Metadata.TryGetValue(UpsampleKey, out var text)
            && Enum.TryParse<Interpolation>(text, ignoreCase: true, out var recorded))
        {
            interpolation = recorded;
        }

        return Weights.NetworkOf(file.Tensors.Keys, interpolation ?? Interpolation.Bilinear) ?? throw new UserError(
            ExitCode.Data, $"{path} holds weights of neither model: none of its {file.Tensors.Count} tensors has a known name such as fcEncoder1.weight");
    }

    /// <summary>Sets a model's parameters from a file.</summary>
    /// <exception cref="UserError">The file is missing, damaged or of another model.</exception>
    public static Safetensors Load(string path, Model model) => Read(path, () =>
    {
        var file = Safetensors.Load(path);
        if (file.Tensors.FirstOrDefault(tensor => !tensor.Value.Values.All(float.IsFinite)).Key is { } name)
            throw new InvalidDataException($"tensor '{name}' holds values that are not finite");
        Weights.CopyTo(model, file.Tensors);
        return file;
    });

    /// <summary>Reads a file.</summary>
    /// <exception cref="UserError">The file is missing or damaged.</exception>
    public static Safetensors Read(string path) => Read(path, () => Safetensors.Load(path));

    private static T Read<T>(string path, Func<T> read)
    {
        if (Directory.Exists(path))
            throw new UserError(ExitCode.Data, $"{path} is a folder; name a file in it, such as best.safetensors");
        try
        {
            return read();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UserError(ExitCode.Data, $"{path} is not there; a run's weights are RUN/fc/best.safetensors and RUN/conv/best.safetensors", e);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new UserError(ExitCode.Data, $"{path} cannot be used: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }
}
