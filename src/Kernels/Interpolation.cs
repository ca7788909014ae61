namespace AutoencoderGpu.Kernels;

/// <summary>How <see cref="Operations.Upsample2x"/> interpolates.</summary>
public enum Interpolation
{
    /// <summary>Linear along both axes, corner pixels aligned (PyTorch's <c>align_corners=True</c>).</summary>
    Bilinear,

    /// <summary>Every pixel repeated 2×2.</summary>
    Nearest,
}
