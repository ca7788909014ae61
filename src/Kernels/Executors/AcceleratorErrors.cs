using ILGPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace AutoencoderGpu.Kernels.Executors;

/// <summary>What exceptions of ILGPU and of drivers mean to a user.</summary>
public static class AcceleratorErrors
{
    /// <summary>Whether an accelerator, which the CPU is too, has no memory left, or not in one piece.</summary>
    public static bool IsOutOfMemory(Exception e) => Chain(e).Any(cause => cause switch
    {
        OutOfMemoryException or AcceleratorException { IsOutOfMemory: true } => true,
        CudaException cuda => cuda.Error == nameof(CudaError.CUDA_ERROR_OUT_OF_MEMORY),
        // Drivers allocate late, and differ in what they call it then.
        CLException cl => cl.Error is CLError.CL_MEM_OBJECT_ALLOCATION_FAILURE or CLError.CL_OUT_OF_RESOURCES
            or CLError.CL_OUT_OF_HOST_MEMORY or CLError.CL_INVALID_BUFFER_SIZE,
        _ => false,
    });

    /// <summary>Whether .NET itself has no memory left; its exception does not say how much was asked for.</summary>
    public static bool IsOutOfHostMemory(Exception e) => e.GetBaseException().GetType() == typeof(OutOfMemoryException);

    /// <summary>What happened, in a line, if it is an accelerator's fault; otherwise null.</summary>
    public static string? Explain(Exception e)
    {
        if (Chain(e).OfType<AcceleratorException>().FirstOrDefault() is { } explained)
            return explained.Message;
        if (IsOutOfHostMemory(e))
            return $"not enough memory on this machine, of which .NET may use {DeviceMemory.Megabytes(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes)}";
        if (IsOutOfMemory(e))
            return $"not enough memory: {OneLine(e)}";
        // Beside the drivers' errors these are kernels that ILGPU cannot compile.
        return Chain(e).FirstOrDefault(cause => cause.GetType().Assembly == typeof(Context).Assembly) is { } cause
            ? $"the accelerator failed: {(cause.InnerException is null ? "" : $"{cause.Message.ReplaceLineEndings(" ")} ")}{OneLine(e)}"
            : null;
    }

    /// <summary>The message of what is at the bottom of an exception, with the driver's code if it has one.</summary>
    internal static string OneLine(Exception e) => e.GetBaseException() switch
    {
        CudaException cuda => $"{cuda.Error}, {cuda.Message}",
        CLException cl => cl.Error.ToString(), // ILGPU gives it no message
        var cause => cause.Message.ReplaceLineEndings(" ").TrimEnd('.'),
    };

    private static IEnumerable<Exception> Chain(Exception e)
    {
        for (var cause = e; cause is not null; cause = cause.InnerException)
            yield return cause;
    }
}
