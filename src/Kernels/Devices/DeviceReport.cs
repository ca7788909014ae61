using System.Runtime.InteropServices;
using AutoencoderGpu.Kernels.Cpu;
using AutoencoderGpu.Kernels.Executors;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace AutoencoderGpu.Kernels.Devices;

/// <summary>A device that was found, or something that was tried in vain, with the reason.</summary>
/// <param name="Kind">CUDA, OpenCL or CPU.</param>
public sealed record DeviceReport(AcceleratorKind Kind)
{
    /// <summary>What <c>--device</c> takes; −1 where the device cannot be used. Only devices that can be are counted.</summary>
    public int Index { get; internal init; } = -1;

    /// <summary>Whether programs can run on it.</summary>
    public bool IsUsable => Index >= 0;

    /// <summary>The device's name, or its platform's; null where nothing was found that has one.</summary>
    public string? Name { get; internal init; }

    /// <summary>Why it cannot be used; null where it can.</summary>
    public string? Reason { get; internal init; }

    /// <summary>Whether <see cref="AcceleratorKind.Auto"/> may prefer it to the CPU.</summary>
    public bool IsGpu { get; private init; }

    /// <summary>Of the device; 0 where unknown.</summary>
    public long MemoryBytes { get; private init; }

    /// <summary>What ILGPU sees of it; empty where it sees none.</summary>
    public string Details { get; private init; } = "";

    /// <summary>ILGPU's device; null where it cannot be used.</summary>
    internal Device? Device { get; private init; }

    /// <summary>What cannot be used and why, in a line; null where it can.</summary>
    public string? Refusal => Reason is null || Name is null ? Reason : $"{Name} cannot be used: {Reason}";

    /// <summary>A kind as people write it.</summary>
    internal static string NameOf(AcceleratorKind kind) => kind is AcceleratorKind.Cuda or AcceleratorKind.Cpu
        ? kind.ToString().ToUpperInvariant()
        : kind.ToString();

    /// <summary>A device that ILGPU sees.</summary>
    /// <param name="reason">Why it cannot be used all the same.</param>
    internal static DeviceReport Of(Device device, string? reason) => new(device is CudaDevice ? AcceleratorKind.Cuda : AcceleratorKind.OpenCL)
    {
        Name = device.Name,
        Reason = reason,
        IsGpu = device is CudaDevice || device is CLDevice { DeviceType: CLDeviceType.CL_DEVICE_TYPE_GPU },
        MemoryBytes = device.MemorySize,
        Details = device switch
        {
            CudaDevice { Architecture: { } architecture } cuda =>
                $"compute capability {architecture.Major}.{architecture.Minor}, {cuda.NumMultiprocessors} multiprocessors, driver for CUDA {cuda.DriverVersion}",
            CLDevice cl => $"{cl.PlatformName}, OpenCL {cl.DeviceVersion}, {cl.NumMultiprocessors} compute units",
            _ => "",
        },
        Device = reason is null ? device : null,
    };

    internal static DeviceReport OfCpu() => new(AcceleratorKind.Cpu)
    {
        Index = 0,
        Name = $"{RuntimeInformation.ProcessArchitecture} processor, {Environment.ProcessorCount} cores",
        MemoryBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
        Details = $"{(int)CpuExecutor.DefaultSimd}-bit vectors",
    };
}
