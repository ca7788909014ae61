using System.Runtime.InteropServices;
using ILGPU.Runtime.Cuda;

namespace AutoencoderGpu.Kernels.Gpu;

/// <summary>
/// What ILGPU does not bind of CUDA's driver API, or keeps to itself, documented at https://docs.nvidia.com/cuda/cuda-driver-api. Graphs
/// are in every driver since CUDA 11.4.
/// </summary>
internal static partial class CudaDriver
{
    /// <summary>CU_STREAM_CAPTURE_MODE_RELAXED: other calls of the process do not disturb a capture.</summary>
    public const int RelaxedCapture = 2;

    /// <summary>CU_EVENT_DISABLE_TIMING.</summary>
    public const uint WithoutTiming = 2;

    // Resolved where ILGPU's own calls are, by Accelerators.
    private const string Library = CudaAPI.LibNameLinux;

    [LibraryImport(Library, EntryPoint = "cuInit")]
    public static partial int Init(int flags);

    [LibraryImport(Library, EntryPoint = "cuDriverGetVersion")]
    public static partial int GetVersion(out int version);

    [LibraryImport(Library, EntryPoint = "cuGetErrorString")]
    public static partial int GetErrorString(int error, out nint text);

    [LibraryImport(Library, EntryPoint = "cuStreamBeginCapture_v2")]
    public static partial CudaError BeginCapture(nint stream, int mode);

    [LibraryImport(Library, EntryPoint = "cuStreamEndCapture")]
    public static partial CudaError EndCapture(nint stream, out nint graph);

    [LibraryImport(Library, EntryPoint = "cuGraphInstantiateWithFlags")]
    public static partial CudaError Instantiate(out nint executable, nint graph, ulong flags);

    [LibraryImport(Library, EntryPoint = "cuGraphUpload")]
    public static partial CudaError Upload(nint executable, nint stream);

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
}
