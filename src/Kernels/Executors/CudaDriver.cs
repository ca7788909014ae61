using System.Reflection;
using System.Runtime.InteropServices;
using ILGPU.Runtime.Cuda;

namespace AutoencoderGpu.Kernels.Executors;

/// <summary>
/// What ILGPU does not bind of CUDA's driver API, documented at https://docs.nvidia.com/cuda/cuda-driver-api: graphs, which are in
/// every driver since CUDA 11.4, and the events and fills that go with them.
/// </summary>
internal static partial class CudaDriver
{
    /// <summary>CU_STREAM_CAPTURE_MODE_RELAXED: other calls of the process do not disturb a capture.</summary>
    public const int RelaxedCapture = 2;

    /// <summary>CU_EVENT_DISABLE_TIMING.</summary>
    public const uint WithoutTiming = 2;

    private const string Library = "nvcuda"; // its name on Windows

    static CudaDriver() => NativeLibrary.SetDllImportResolver(typeof(CudaDriver).Assembly, Resolve);

    [LibraryImport(Library, EntryPoint = "cuStreamBeginCapture_v2")]
    public static partial CudaError BeginCapture(nint stream, int mode);

    [LibraryImport(Library, EntryPoint = "cuStreamEndCapture")]
    public static partial CudaError EndCapture(nint stream, out nint graph);

    [LibraryImport(Library, EntryPoint = "cuGraphInstantiateWithFlags")]
    public static partial CudaError Instantiate(out nint executable, nint graph, ulong flags);

    [LibraryImport(Library, EntryPoint = "cuGraphLaunch")]
    public static partial CudaError Launch(nint executable, nint stream);

    [LibraryImport(Library, EntryPoint = "cuGraphDestroy")]
    public static partial CudaError DestroyGraph(nint graph);

    [LibraryImport(Library, EntryPoint = "cuGraphExecDestroy")]
    public static partial CudaError DestroyExecutable(nint executable);

    [LibraryImport(Library, EntryPoint = "cuEventCreate")]
    public static partial CudaError CreateEvent(out nint @event, uint flags);

    [LibraryImport(Library, EntryPoint = "cuEventRecord")]
    public static partial CudaError Record(nint @event, nint stream);

    [LibraryImport(Library, EntryPoint = "cuStreamWaitEvent")]
    public static partial CudaError Wait(nint stream, nint @event, uint flags);

    [LibraryImport(Library, EntryPoint = "cuEventDestroy_v2")]
    public static partial CudaError DestroyEvent(nint @event);

    [LibraryImport(Library, EntryPoint = "cuMemsetD32Async")]
    public static partial CudaError Fill(nint device, uint value, nuint count, nint stream);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Library || OperatingSystem.IsWindows())
            return 0;
        return NativeLibrary.TryLoad("libcuda.so.1", out var library) || NativeLibrary.TryLoad("libcuda.so", out library) ? library : 0;
    }
}
