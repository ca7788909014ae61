using AutoencoderGpu.Kernels;

namespace AutoencoderGpu.Models;

public sealed partial record Network
{
    /// <summary>784 → 256 → 128 → 256 → 784, ReLU between, sigmoid at the end: 468,368 parameters.</summary>
    public static Network FullyConnected { get; } = new(
        "fc",
        "FC",
        "Fully connected autoencoder",
        new(28, 28, 1),
        [
            new DenseLayer("fcEncoder1", 256, Activation.Relu),
            new DenseLayer("fcEncoder2", 128, Activation.Relu),
            new DenseLayer("fcDecoder1", 256, Activation.Relu),
            new DenseLayer("fcDecoder2", 784, Activation.Sigmoid),
        ],
        2);
}
