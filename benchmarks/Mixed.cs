using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Operations;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.Benchmarks;

/// <summary>A network of one's own: convolutions around a dense code, trained for binary cross-entropy on pixels from 0 to 1; 28,145 parameters.</summary>
internal static class Mixed
{
    /// <summary>In arguments.</summary>
    public const string Name = "mixed";

    private const string Text =
        "conv 16 relu, pool, conv 8 relu, pool, flatten, dense 32 | dense 392 relu, unflatten 7x7x8, up, conv 16 relu, up, conv 1 sigmoid";

    /// <summary>The network, with the reference's upsampling.</summary>
    public static Network Network { get; } = Notation.Parse(Text, new(28, 28, 1), Interpolation.Bilinear) with
    {
        Name = Name,
        Title = "Mixed",
        Normalisation = Normalisation.None(1),
        Loss = Loss.All.Single(loss => loss.Name == "bce"),
    };
}
