using AutoencoderGpu.Kernels;

namespace AutoencoderGpu.Models;

public sealed partial record Network
{
    /// <summary>
    /// 1 → 32 at 28×28, pooled, 32 → 64 at 14×14, pooled, 64 → 64 at 7×7, upsampled, 64 → 32 at 14×14, upsampled, 32 → 1 at 28×28,
    /// ReLU between, sigmoid at the end: 74,497 parameters.
    /// </summary>
    public static Network Convolutional(Interpolation interpolation) => new(
        "conv",
        "Conv",
        "Convolutional autoencoder",
        new(28, 28, 1),
        [
            new ConvLayer("convEncoder1", 32, Activation.Relu),
            new MaxPoolLayer(),
            new ConvLayer("convEncoder2", 64, Activation.Relu),
            new MaxPoolLayer(),
            new ConvLayer("convDecoder1", 64, Activation.Relu),
            new UpsampleLayer(interpolation),
            new ConvLayer("convDecoder2", 32, Activation.Relu),
            new UpsampleLayer(interpolation),
            new ConvLayer("convDecoder3", 1, Activation.Sigmoid),
        ],
        4);
}
