namespace AutoencoderGpu.Kernels.Executors;

/// <summary>What a device reaches at best, measured: the roofs that operations are measured by.</summary>
/// <param name="Gflops">10⁹ floating-point operations a second of multiply-adds in registers.</param>
/// <param name="CacheGBPerSecond">10⁹ bytes a second over arrays that stay in each core's second cache.</param>
/// <param name="MemoryGBPerSecond">10⁹ bytes a second over arrays much larger than the last cache.</param>
public sealed record Roofline(double Gflops, double CacheGBPerSecond, double MemoryGBPerSecond);
