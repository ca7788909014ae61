namespace AutoencoderGpu.Kernels.Simd;

/// <summary>Vectors that the CPU's kernels use.</summary>
public enum SimdWidth
{
    /// <summary>None.</summary>
    Scalar = 32,

    /// <summary>SSE or Arm64.</summary>
    Bits128 = 128,

    /// <summary>AVX2.</summary>
    Bits256 = 256,

    /// <summary>AVX-512.</summary>
    Bits512 = 512,
}
