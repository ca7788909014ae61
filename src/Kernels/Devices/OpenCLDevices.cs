using System.Runtime.InteropServices;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Instructions;
using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.Runtime.OpenCL;

namespace AutoencoderGpu.Kernels.Devices;

/// <summary>
/// Finds OpenCL devices. ILGPU passes over what it cannot use in silence, and over everything behind a device that it fails on;
/// here each is asked by itself.
/// </summary>
internal static class OpenCLDevices
{
    private const int MaximalDevices = 64;

    /// <summary>Every device of every platform, or the reason why there is none.</summary>
    public static IEnumerable<DeviceReport> Find()
    {
        try
        {
            var api = CLAPI.CurrentAPI;
            if (!api.IsSupported)
                return [None(null, WhyNoPlatform())];
            CLException.ThrowIfFailed(api.GetNumPlatforms(out var count));
            var platforms = new IntPtr[count];
            CLException.ThrowIfFailed(api.GetPlatforms(platforms, ref count));
            return [.. platforms.SelectMany(DevicesOf)];
        }
        catch (Exception e)
        {
            return [None(null, $"the OpenCL loader cannot be used: {AcceleratorErrors.OneLine(e)}")];
        }
    }

    // ILGPU's verdict is the same whether the loader is missing or has nothing to load.
    private static string WhyNoPlatform() => NativeLibrary.TryLoad(CLAPI.LibNameLinux, typeof(Context).Assembly, null, out _)
        ? "no OpenCL driver: the loader is there and knows no platform; a GPU's driver package or pocl-opencl-icd brings one, in /etc/OpenCL/vendors"
        : Accelerators.WhyNotLoaded("libOpenCL.so.1") is { } failure
            ? $"the OpenCL loader is there and cannot be loaded: {failure}; installing it anew may mend it"
        : "no OpenCL loader: libOpenCL.so.1 is not there; a GPU's driver or the package ocl-icd-libopencl1 brings it";

    private static IEnumerable<DeviceReport> DevicesOf(IntPtr platform)
    {
        string? name = null;
        try
        {
            name = CLAPI.CurrentAPI.GetPlatformInfo(platform, CLPlatformInfoType.CL_PLATFORM_NAME);
            var devices = new IntPtr[MaximalDevices];
            var error = CLAPI.CurrentAPI.GetDevices(platform, CLDeviceType.CL_DEVICE_TYPE_ALL, devices, out var count);
            if (error == CLError.CL_DEVICE_NOT_FOUND || (error == CLError.CL_SUCCESS && count == 0))
                return [None(name, "this platform has no devices")];
            CLException.ThrowIfFailed(error);
            return [.. devices.Take(count).Select(device => Report(platform, device))];
        }
        catch (Exception e)
        {
            return [None(name, $"this platform does not list its devices: {AcceleratorErrors.OneLine(e)}")];
        }
    }

    private static DeviceReport Report(IntPtr platform, IntPtr id)
    {
        string? name = null;
        try
        {
            name = CLAPI.CurrentAPI.GetDeviceInfo(id, CLDeviceInfoType.CL_DEVICE_NAME);
            var device = new CLDevice(platform, id);
            return DeviceReport.Of(device, ReasonAgainst(device));
        }
        catch (Exception e)
        {
            return None(name, AcceleratorErrors.OneLine(e));
        }
    }

    private static string? ReasonAgainst(CLDevice device) =>
        device.GetDeviceInfo<int>(CLDeviceInfoType.CL_DEVICE_AVAILABLE) == 0 ? "its driver says that it is not available"
        : device.CLStdVersion < CLBackend.MinimumVersion ? $"it takes OpenCL C {Text(device.CLStdVersion)}, and ILGPU needs {Text(CLBackend.MinimumVersion)}"
        : !device.Capabilities.GenericAddressSpace ? "it lacks OpenCL C 2.0's generic address space, which ILGPU needs"
        : device.MaxNumThreadsPerGroup < PortableKernel.LargestGroup ? $"its groups have at most {device.MaxNumThreadsPerGroup} work-items, and the kernels need {PortableKernel.LargestGroup}"
        : device.MaxSharedMemoryPerGroup < PortableKernel.LargestSharedBytes ? $"its groups have {device.MaxSharedMemoryPerGroup} bytes of local memory, and the kernels need {PortableKernel.LargestSharedBytes}"
        : null;

    private static string Text(CLCVersion version) => $"{version.Major}.{version.Minor}";

    private static DeviceReport None(string? name, string reason) => new(AcceleratorKind.OpenCL) { Name = name, Reason = reason };
}
