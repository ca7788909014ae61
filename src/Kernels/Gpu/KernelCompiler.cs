using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Instructions;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;

namespace AutoencoderGpu.Kernels.Gpu;

/// <summary>Translates portable kernels into what a GPU's driver takes; the one place, for running them and for verifying them.</summary>
public static class KernelCompiler
{
    /// <summary>Configures a context for kernels of a kind.</summary>
    /// <remarks>
    /// On CUDA at O2, which addresses global memory as such and keeps register tiles in registers. Elsewhere at ILGPU's default, O1:
    /// PoCL has aborted on kernels with several barriers in loops at O2.
    /// </remarks>
    public static Context.Builder Configure(Context.Builder builder, AcceleratorKind kind)
    {
        builder.EnableAlgorithms();
        return kind == AcceleratorKind.Cuda ? builder.Optimize(OptimizationLevel.O2) : builder;
    }

    /// <summary>Compiles a kernel for a backend: PTX, OpenCL C, or the simulator's code.</summary>
    public static CompiledKernel Compile(Backend backend, PortableKernel kernel)
    {
        var compiled = backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(kernel.Method), default);
        if (compiled is PTXCompiledKernel ptx)
            AssemblyOf(ptx) = WithoutUniformHints(ptx.PTXAssembly);
        return compiled;
    }

    /// <summary>
    /// At O2 ILGPU marks branches as uniform from an analysis that is not always right; the mark keeps the assembler from unrolling,
    /// and takes the point where threads meet again from a branch that does diverge. Without it every branch is merely checked.
    /// </summary>
    internal static string WithoutUniformHints(string ptx) => ptx
        .Replace("bra.uni", "bra", StringComparison.Ordinal)
        .Replace("brx.idx.uni", "brx.idx", StringComparison.Ordinal);

    // ILGPU offers no way to hand over edited PTX.
    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "<PTXAssembly>k__BackingField")]
    private static extern ref string AssemblyOf(PTXCompiledKernel kernel);
}
