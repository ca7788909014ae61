namespace AutoencoderGpu.Kernels.Executors;

/// <summary>Which accelerator runs the programs.</summary>
public enum AcceleratorKind
{
    /// <summary>CUDA, else an OpenCL GPU, else the CPU.</summary>
    Auto,

    /// <summary>An NVIDIA GPU.</summary>
    Cuda,

    /// <summary>A device of an OpenCL platform.</summary>
    OpenCL,

    /// <summary>The CPU, with vectorised kernels.</summary>
    Cpu,

    /// <summary>ILGPU's CPU accelerator running the portable kernels as a GPU would: slow, for tests.</summary>
    Simulator,
}
