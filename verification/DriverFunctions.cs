using System.Reflection;
using System.Runtime.InteropServices;
using AutoencoderGpu.Kernels.Gpu;
using ILGPU.Runtime.Cuda;

namespace AutoencoderGpu.Verification;

/// <summary>Whether the functions of CUDA's driver that the program calls by name are in the driver's library, which loads without a GPU.</summary>
internal static class DriverFunctions
{
    /// <summary>How many are called, and which of them are missing.</summary>
    public static (int Asked, IReadOnlyList<string> Missing) In(string library)
    {
        const BindingFlags all = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
        string[] names = [..
            from type in typeof(KernelCompiler).Assembly.GetTypes()
            from method in type.GetMethods(all)
            let import = method.GetCustomAttribute<DllImportAttribute>()
            where import?.Value == CudaAPI.LibNameLinux
            select import.EntryPoint ?? method.Name];
        var handle = NativeLibrary.Load(library);
        return (names.Length, [.. names.Where(name => !NativeLibrary.TryGetExport(handle, name, out _))]);
    }
}
