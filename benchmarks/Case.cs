using System.Globalization;
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Operations;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.Benchmarks;

/// <summary>What is timed on both sides.</summary>
/// <param name="Model"><c>fc</c>, <c>conv</c> or <c>mixed</c>.</param>
/// <param name="BatchSize">Images of a training step; 0 for the evaluation of the test images, where each side has its own.</param>
/// <param name="Goal">How many times as fast as libtorch this program is to be.</param>
internal sealed record Case(string Model, int BatchSize, double Goal)
{
    /// <summary>Every case.</summary>
    public static IReadOnlyList<Case> All { get; } =
    [
        new("fc", 10, 6), new("conv", 10, 4), new("fc", 100, 1.8), new("conv", 100, 3), new("fc", 0, 2), new("conv", 0, 2),
        new(Mixed.Name, 32, 2),
    ];

    /// <summary>Whether training steps are timed.</summary>
    public bool IsTraining => BatchSize > 0;

    /// <summary>The network, with the reference's upsampling.</summary>
    public Network Network => Network.Published(Interpolation.Bilinear).Append(Mixed.Network).Single(network => network.Name == Model);

    /// <summary>The update rule.</summary>
    public Optimiser Optimiser => Optimiser.Named(Model == Mixed.Name ? "adam" : "sgd", new());

    /// <summary>For arguments.</summary>
    public string Key => IsTraining ? string.Create(CultureInfo.InvariantCulture, $"{Model}-{BatchSize}") : $"{Model}-eval";

    /// <summary>For people.</summary>
    public string Title => IsTraining
        ? $"{Network.Title}, training step of {BatchSize} images"
        : $"{Network.Title}, evaluation of the test images";

    /// <summary>
    /// Training of the convolutional model by bare SGD at the reference's rate of 1.0 saturates within a few steps, and then what
    /// is compared would be a blank image.
    /// </summary>
    public float LearningRate => Model switch
    {
        "fc" => 1f,
        "conv" => 0.1f,
        _ => (float)Optimiser.LearningRate,
    };

    /// <summary>The case of a key.</summary>
    public static Case Of(string key) => All.Single(candidate => candidate.Key == key);
}
