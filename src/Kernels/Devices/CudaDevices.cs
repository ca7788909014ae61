using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Gpu;
using ILGPU.Runtime.Cuda;

namespace AutoencoderGpu.Kernels.Devices;

/// <summary>
/// Finds CUDA devices. ILGPU passes over what it cannot use in silence, and over every device behind one that it fails on; here
/// each is asked by itself.
/// </summary>
internal static class CudaDevices
{
    private const int NoDevice = 100;
    private const string Hint = "`nvidia-smi` shows whether an NVIDIA GPU and its driver are there";

    /// <summary>Every device, or the reason why there is none.</summary>
    public static IEnumerable<DeviceReport> Find()
    {
        try
        {
            // ILGPU keeps from what it makes of this only whether it succeeded.
            var error = CudaDriver.Init(0);
            var count = 0;
            if (error == 0)
                error = (int)CudaAPI.CurrentAPI.GetDeviceCount(out count);
            if (error != 0 || count == 0)
                return [None(Failure(error == 0 ? NoDevice : error))];
            return [.. Enumerable.Range(0, count).Select(Report)];
        }
        catch (DllNotFoundException)
        {
            return [None(Accelerators.WhyNotLoaded("libcuda.so.1") is { } failure
                ? $"the NVIDIA driver's library is there and cannot be loaded: {failure}; installing the driver anew may mend it"
                : $"no NVIDIA driver: its library, libcuda, is not there; {Hint}")];
        }
        catch (Exception e)
        {
            return [None($"the NVIDIA driver cannot be used: {AcceleratorErrors.OneLine(e)}; {Hint}")];
        }
    }

    private static DeviceReport None(string reason) => new(AcceleratorKind.Cuda) { Reason = reason };

    private static string Failure(int error)
    {
        var driver = CudaDriver.GetVersion(out var version) == 0 ? $"the NVIDIA driver (CUDA {version / 1000}.{version % 1000 / 10})" : "the NVIDIA driver";
        if (error == NoDevice)
            return $"{driver} finds no device; {Hint}, and a container needs --gpus all to see them";
        var text = CudaDriver.GetErrorString(error, out var pointer) == 0 ? Marshal.PtrToStringUTF8(pointer) : null;
        return $"{driver} fails with error {error}, {text ?? "which it does not explain"}; {Hint}";
    }

    private static DeviceReport Report(int ordinal)
    {
        try
        {
            var device = Create(ordinal);
            return DeviceReport.Of(device, ReasonAgainst(device));
        }
        catch (Exception e)
        {
            // ILGPU makes nothing of a device that is too old.
            var api = CudaAPI.CurrentAPI;
            api.GetDeviceName(out var name, ordinal);
            var reason = api.GetDeviceComputeCapability(out var major, out var minor, ordinal) == CudaError.CUDA_SUCCESS
                && !CudaDevice.TryGetArchitecture(major, minor, out _)
                    ? $"its compute capability is {major}.{minor}, and ILGPU needs 3.0"
                    : AcceleratorErrors.OneLine(e);
            return new(AcceleratorKind.Cuda) { Name = name ?? $"device {ordinal}", Reason = reason };
        }
    }

    private static string? ReasonAgainst(CudaDevice device)
    {
        if (device.InstructionSet is not null)
            return null;
        CudaAccelerator.TryGetInstructionSet(device.Architecture!.Value, device.DriverVersion, out var needed, out _);
        return $"its driver is for CUDA {device.DriverVersion}, and ILGPU needs one for CUDA {needed}";
    }

    // ILGPU makes devices only all at once.
    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    private static extern CudaDevice Create(int ordinal);
}
