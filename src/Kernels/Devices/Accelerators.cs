using System.Runtime.InteropServices;
using System.Runtime.Loader;
using AutoencoderGpu.Kernels.Cpu;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Gpu;
using ILGPU;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace AutoencoderGpu.Kernels.Devices;

/// <summary>Finds and opens accelerators.</summary>
public static class Accelerators
{
    static Accelerators() =>
        // ILGPU asks for libOpenCL.so and libcuda.so, which some systems bring with development packages only; what a driver's users
        // have ends in .so.1. On Windows CUDA's driver has another name.
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += (_, name) =>
        {
            var file = name switch
            {
                CLAPI.LibNameLinux => "libOpenCL.so.1",
                CudaAPI.LibNameLinux => OperatingSystem.IsWindows() ? CudaAPI.LibNameWindows : "libcuda.so.1",
                _ => null,
            };
            return file is not null && NativeLibrary.TryLoad(file, out var library) ? library : IntPtr.Zero;
        };

    /// <summary>Why a driver's library that is there cannot be loaded, in the system's words; null if it is not there.</summary>
    /// <param name="file">Its name.</param>
    internal static string? WhyNotLoaded(string file)
    {
        try
        {
            NativeLibrary.Load(file);
            return null;
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            // A line for each place; where the library is not, the file that is not there is the library itself.
            return e.Message.Split('\n').Select(line => line.Trim()).FirstOrDefault(line =>
                line.Contains(file, StringComparison.Ordinal) && line.Contains(": ", StringComparison.Ordinal)
                && !line.StartsWith("Unable to load", StringComparison.Ordinal) && !line.Contains($"{file}: cannot open shared object file", StringComparison.Ordinal));
        }
    }

    /// <summary>Everything that was tried, in the order in which <see cref="AcceleratorKind.Auto"/> prefers it.</summary>
    public static IReadOnlyList<DeviceReport> Survey() =>
        [.. Survey(AcceleratorKind.Cuda), .. Survey(AcceleratorKind.OpenCL), DeviceReport.OfCpu()];

    /// <summary>Which device <see cref="AcceleratorKind.Auto"/> takes.</summary>
    public static DeviceReport Preferred(IReadOnlyList<DeviceReport> devices) =>
        devices.FirstOrDefault(device => device.IsUsable && device.IsGpu) ?? devices.Last(device => device.Kind == AcceleratorKind.Cpu);

    /// <summary>Opens an accelerator.</summary>
    /// <param name="kind">Which kind; never another than the one that is named.</param>
    /// <param name="device">Which of several usable devices of the kind, for <see cref="AcceleratorKind.Auto"/> of the kind that it takes.</param>
    /// <param name="threads">Threads on the CPU.</param>
    /// <exception cref="AcceleratorException">There is none such, or it does not suffice.</exception>
    public static Executor Open(AcceleratorKind kind, int device, int threads)
    {
        switch (kind)
        {
            case AcceleratorKind.Auto:
                return Open(Preferred(Survey()).Kind, device, threads);
            case AcceleratorKind.Cuda or AcceleratorKind.OpenCL:
                return OpenGpu(kind, device);
        }

        Check(kind, device, count: 1);
        return kind == AcceleratorKind.Cpu ? CpuExecutor.Create(threads, CpuExecutor.DefaultSimd) : OpenSimulator();
    }

    /// <summary>A kind as <c>--accelerator</c> and files name it.</summary>
    public static string OptionOf(AcceleratorKind kind) => kind.ToString().ToLowerInvariant();

    private static LaunchExecutor OpenSimulator()
    {
        // No more threads than the largest group has: each is a thread of the system, and they meet at every barrier.
        var device = new CPUDevice(numThreadsPerWarp: 32, numWarpsPerMultiprocessor: 8, numMultiprocessors: 1);
        var context = Context.Create(builder => KernelCompiler.Configure(builder, AcceleratorKind.Simulator).CPU(device));
        return new(device.CreateAccelerator(context));
    }

    private static LaunchExecutor OpenGpu(AcceleratorKind kind, int index)
    {
        var tried = Survey(kind);
        var usable = tried.Where(device => device.IsUsable).ToArray();
        if (usable.Length == 0)
            throw new AcceleratorException(string.Join("; ", tried.Select(device => device.Refusal))) { IsMissing = true };
        Check(kind, index, usable.Length);
        var context = Context.Create(builder => KernelCompiler.Configure(builder, kind));
        try
        {
            return new(usable[index].Device!.CreateAccelerator(context));
        }
        catch (Exception e)
        {
            context.Dispose();
            throw new AcceleratorException(
                $"{DeviceReport.NameOf(kind)} device {index}, {usable[index].Name}, could not be opened: {AcceleratorErrors.OneLine(e)}", e);
        }
    }

    /// <summary>Usable devices are numbered first, GPUs before others, so that device 0 is the one to prefer.</summary>
    private static DeviceReport[] Survey(AcceleratorKind kind)
    {
        var tried = kind == AcceleratorKind.Cuda ? CudaDevices.Find() : OpenCLDevices.Find();
        return [.. tried.OrderBy(device => (device.Device is null, !device.IsGpu)).Select((device, i) => device.Device is null ? device : device with { Index = i })];
    }

    private static void Check(AcceleratorKind kind, int index, int count)
    {
        if (index >= count)
        {
            var there = count == 1 ? "there is one, device 0" : $"there are {count}, devices 0 to {count - 1}";
            throw new AcceleratorException($"there is no {DeviceReport.NameOf(kind)} device {index}: {there}");
        }
    }
}
