using System.Runtime.InteropServices;
using System.Runtime.Loader;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

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

/// <summary>That no accelerator of the kind asked for is there, or that it cannot be used; the message says what is missing.</summary>
public sealed class AcceleratorException : Exception
{
    internal AcceleratorException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>Whether there is no device of the kind at all, rather than one that fails.</summary>
    public bool IsMissing { get; internal init; }
}

/// <summary>A device that was found, or the reason why a kind of accelerator has none.</summary>
/// <param name="Kind">CUDA, OpenCL or CPU.</param>
/// <param name="Index">What <c>--device</c> takes; −1 where there is no device.</param>
/// <param name="Name">The device's name, or what is missing.</param>
/// <param name="IsGpu">Whether <see cref="AcceleratorKind.Auto"/> may prefer it to the CPU.</param>
/// <param name="MemoryBytes">Of the device; 0 where unknown.</param>
/// <param name="Details">What ILGPU sees of it.</param>
public sealed record DeviceReport(AcceleratorKind Kind, int Index, string Name, bool IsGpu, long MemoryBytes, string Details)
{
    /// <summary>Whether a program can run on it.</summary>
    public bool IsUsable => Index >= 0;
}

/// <summary>Finds and opens accelerators.</summary>
public static class Accelerators
{
    static Accelerators() =>
        // ILGPU asks for libOpenCL.so, which only development packages bring; the loader that users have is libOpenCL.so.1.
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += (_, name) =>
            name.Contains("OpenCL", StringComparison.Ordinal) && NativeLibrary.TryLoad("libOpenCL.so.1", out var library)
                ? library
                : IntPtr.Zero;

    /// <summary>Every device, in the order in which <see cref="AcceleratorKind.Auto"/> prefers them, and what is missing.</summary>
    public static IReadOnlyList<DeviceReport> Survey()
    {
        var reports = new List<DeviceReport>();
        reports.AddRange(Survey(AcceleratorKind.Cuda));
        reports.AddRange(Survey(AcceleratorKind.OpenCL).OrderByDescending(report => report.IsGpu));
        reports.Add(new(
            AcceleratorKind.Cpu,
            0,
            $"{RuntimeInformation.ProcessArchitecture} processor, {Environment.ProcessorCount} cores",
            IsGpu: false,
            GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            $"{(int)CpuExecutor.DefaultSimd}-bit vectors"));
        return reports;
    }

    /// <summary>Which device <see cref="AcceleratorKind.Auto"/> takes.</summary>
    public static DeviceReport Preferred(IReadOnlyList<DeviceReport> devices) =>
        devices.FirstOrDefault(device => device.IsUsable && device.IsGpu) ?? devices.Last(device => device.Kind == AcceleratorKind.Cpu);

    /// <summary>Opens an accelerator.</summary>
    /// <param name="kind">Which kind; never another than the one that is named.</param>
    /// <param name="device">Which of several devices of the kind.</param>
    /// <param name="threads">Threads on the CPU.</param>
    /// <exception cref="AcceleratorException">There is none such, or it does not suffice.</exception>
    public static Executor Open(AcceleratorKind kind, int device, int threads)
    {
        if (kind == AcceleratorKind.Auto)
        {
            var preferred = Preferred(Survey());
            // --device counts within the kind that auto takes.
            return Open(preferred.Kind, device == 0 ? preferred.Index : device, threads);
        }

        if (kind is AcceleratorKind.Cpu or AcceleratorKind.Simulator && device != 0)
            throw new AcceleratorException($"there is one CPU, device 0, and no device {device}");
        return kind switch
        {
            AcceleratorKind.Cpu => CpuExecutor.Create(threads, CpuExecutor.DefaultSimd),
            AcceleratorKind.Simulator => OpenSimulator(),
            _ => OpenGpu(kind, device),
        };
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
        var context = ContextOf(kind);
        try
        {
            var devices = DevicesOf(context, kind);
            if (devices.Count == 0)
                throw new AcceleratorException(Missing(kind)) { IsMissing = true };
            if (index >= devices.Count)
                throw new AcceleratorException($"{NameOf(kind)} has {devices.Count} device(s), so --device goes up to {devices.Count - 1}");
            return new(devices[index].CreateAccelerator(context));
        }
        catch (Exception e)
        {
            context.Dispose();
            if (e is AcceleratorException)
                throw;
            throw new AcceleratorException($"{NameOf(kind)} device {index} could not be opened: {OneLine(e)}", e);
        }
    }

    private static IEnumerable<DeviceReport> Survey(AcceleratorKind kind)
    {
        Context context;
        string? failure = null;
        try
        {
            context = ContextOf(kind);
        }
        catch (AcceleratorException e)
        {
            failure = e.Message;
            context = Context.Create(_ => { });
        }

        using (context)
        {
            var devices = DevicesOf(context, kind);
            if (devices.Count == 0)
                yield return new(kind, -1, failure ?? Missing(kind), IsGpu: false, 0, "");
            for (var i = 0; i < devices.Count; i++)
                yield return Report(kind, i, devices[i]);
        }
    }

    private static DeviceReport Report(AcceleratorKind kind, int index, Device device) => new(
        kind,
        index,
        device.Name,
        device is CudaDevice || device is CLDevice { DeviceType: CLDeviceType.CL_DEVICE_TYPE_GPU },
        device.MemorySize,
        device switch
        {
            CudaDevice cuda => $"compute capability {cuda.Architecture}, {cuda.NumMultiprocessors} multiprocessors, driver {cuda.DriverVersion}",
            CLDevice cl => $"{cl.PlatformName}, {cl.CVersion}, {cl.NumMultiprocessors} compute units",
            _ => "",
        });

    private static Context ContextOf(AcceleratorKind kind)
    {
        try
        {
            return Context.Create(builder =>
            {
                KernelCompiler.Configure(builder, kind);
                if (kind == AcceleratorKind.Cuda)
                    builder.Cuda();
                else
                    builder.OpenCL();
            });
        }
        catch (Exception e)
        {
            throw new AcceleratorException($"{Missing(kind)} ({OneLine(e)})", e) { IsMissing = true };
        }
    }

    private static List<Device> DevicesOf(Context context, AcceleratorKind kind) =>
        [.. context.Devices.Where(device => kind == AcceleratorKind.Cuda ? device is CudaDevice : device is CLDevice)];

    private static string NameOf(AcceleratorKind kind) => kind == AcceleratorKind.Cuda ? "CUDA" : kind.ToString();

    private static string Missing(AcceleratorKind kind) => kind == AcceleratorKind.Cuda
        ? "no CUDA device: it needs an NVIDIA GPU and its driver (libcuda); `nvidia-smi` shows whether they are there"
        : "no OpenCL device: it needs an OpenCL loader (libOpenCL.so.1) and a driver with OpenCL C 2.0's generic addresses";

    private static string OneLine(Exception e) => e.GetBaseException().Message.ReplaceLineEndings(" ");
}
