using AutoencoderGpu.Kernels.Operations;
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.Benchmarks;

/// <summary>A network of convolutions around a dense code, as an autoencoder that is not one of the published two might be.</summary>
internal static class Mixed
{
    /// <summary>In arguments.</summary>
    public const string Name = "mixed";

    /// <summary>
    /// 1 → 16 at 28×28, pooled, 16 → 8 at 14×14, pooled, 392 → 32 → 392, 8 at 7×7, upsampled, 8 → 16 at 14×14, upsampled, 16 → 1 at 28×28,
    /// ReLU between, sigmoid at the end, trained for binary cross-entropy on pixels from 0 to 1: 28,145 parameters.
    /// </summary>
    public static Network Network { get; } = new(
        Name,
        "Mixed",
        "Convolutional autoencoder with a dense code",
        new(28, 28, 1),
        [
            new ConvLayer("encoder1", 16, Activation.Relu),
            new MaxPoolLayer(),
            new ConvLayer("encoder2", 8, Activation.Relu),
            new MaxPoolLayer(),
            new FlattenLayer(),
            new DenseLayer("encoder3", 32, Activation.None),
            new DenseLayer("decoder1", 392, Activation.Relu),
            new UnflattenLayer(new(7, 7, 8)),
            new UpsampleLayer(Interpolation.Bilinear),
            new ConvLayer("decoder2", 16, Activation.Relu),
            new UpsampleLayer(Interpolation.Bilinear),
            new ConvLayer("decoder3", 1, Activation.Sigmoid),
        ],
        6)
    {
        Normalisation = Normalisation.None(1),
        Loss = Loss.All.Single(loss => loss.Name == "bce"),
    };
}
