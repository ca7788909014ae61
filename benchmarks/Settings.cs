using AutoencoderGpu.Kernels.Cpu;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.Benchmarks;

/// <summary>What the options say.</summary>
/// <param name="Threads">Of each side.</param>
/// <param name="Seconds">Of each side of a comparison.</param>
/// <param name="Repeats">How often everything is compared.</param>
/// <param name="IsQuick">Whether only to see that everything works.</param>
/// <param name="Dataset"><c>mnist</c>, where it is at hand, or <c>synthetic</c>.</param>
/// <param name="Output">The folder of the results.</param>
/// <param name="Published">The published program, where its start is to be measured, too.</param>
/// <param name="Scratch">A folder for what is needed meanwhile.</param>
internal sealed record Settings(
    int Threads, double Seconds, int Repeats, bool IsQuick, string Dataset, string Output, string? Published, string Scratch)
{
    /// <summary>The file of initial values with which both sides begin.</summary>
    public string InitialWeights(Network network)
    {
        var path = Path.Combine(Scratch, network.Name + ".safetensors");
        if (!File.Exists(path))
        {
            using var executor = CpuExecutor.Create(1, CpuExecutor.DefaultSimd);
            using var model = new Model(executor, network, 1);
            model.Initialise(1);
            using var file = File.Create(path);
            Safetensors.Save(file, Weights.Of(model), new Dictionary<string, string>());
        }

        return path;
    }
}
