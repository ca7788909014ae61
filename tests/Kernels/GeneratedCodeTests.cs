using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Gpu;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Operations;
using AutoencoderGpu.Kernels.Products;
using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

/// <summary>What GPUs get to run, generated without one: no driver is needed for it.</summary>
public sealed class GeneratedCodeTests : IDisposable
{
    private readonly Context _cuda = Context.Create(builder => KernelCompiler.Configure(builder, AcceleratorKind.Cuda));
    private readonly Context _opencl = Context.Create(builder => KernelCompiler.Configure(builder, AcceleratorKind.OpenCL));

    public static IEnumerable<TheoryDataRow<string, int>> Kernels =>
        Rows.Of(Registry.Kernels.Select(kernel => kernel.Name), (int[])[70, 80]);

    public static IEnumerable<TheoryDataRow<string>> Names => Registry.Kernels.Select(kernel => new TheoryDataRow<string>(kernel.Name));

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Every_kernel_becomes_PTX(string name, int capability)
    {
        var kernel = Ptx(Kernel(name), capability);
        Assert.Contains($".target sm_{capability}", kernel.PTXAssembly, StringComparison.Ordinal);
        Assert.Contains($".visible .entry {kernel.Name}(", kernel.PTXAssembly, StringComparison.Ordinal);
        Assert.Contains("st.", kernel.PTXAssembly, StringComparison.Ordinal);
        // Calls into libdevice would need NVVM, which machines without the CUDA toolkit lack.
        Assert.DoesNotContain("__nv_", kernel.PTXAssembly, StringComparison.Ordinal);
        Assert.DoesNotContain(".f64", kernel.PTXAssembly, StringComparison.Ordinal);
        Assert.DoesNotContain(".uni", kernel.PTXAssembly, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_kernel_becomes_OpenCL_C(string name)
    {
        using var backend = new CLBackend(
            _opencl, new CLCapabilityContext(false, false, false, false, true), CLDeviceVendor.Other, CLCVersion.CL20);
        var kernel = Assert.IsType<CLCompiledKernel>(KernelCompiler.Compile(backend, Kernel(name)));
        Assert.Matches($@"kernel void {kernel.Name}\s*\(", kernel.Source);
        Assert.DoesNotContain("double ", kernel.Source, StringComparison.Ordinal);
    }

    [Fact]
    public void Devices_are_asked_for_no_more_and_no_less_than_the_kernels_need()
    {
        Assert.Equal(PortableKernel.LargestGroup, Registry.Kernels.Max(kernel => kernel.GroupSize));
        Assert.Equal(PortableKernel.LargestSharedBytes, Registry.Kernels.Max(kernel => Regex
            .Matches(Ptx(kernel, 80).PTXAssembly, @"\.shared \.align \d+ \.b8 \w+\[(\d+)\]")
            .Sum(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))));
    }

    [Fact]
    public void Every_operation_is_found_and_has_kernels()
    {
        Assert.Contains(typeof(Gather), Registry.Operations);
        foreach (var operation in Registry.Operations)
            Assert.NotEmpty(Registry.KernelsOf(operation));
        Assert.Distinct(Registry.Kernels.Select(kernel => kernel.Name));
    }

    [Fact]
    public void Every_kernel_method_belongs_to_an_operation()
    {
        const BindingFlags flags = BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.DeclaredOnly;
        var methods = typeof(Registry).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(flags))
            .Where(method => method.GetParameters() is [_, { ParameterType: var buffers }, { ParameterType: var batch }]
                && buffers == typeof(Buffers) && batch == typeof(MiniBatch) && method.ReturnType == typeof(void))
            .ToHashSet();
        var products = typeof(Registry).Assembly.GetTypes()
            .Where(type => type.IsValueType && type.GetInterfaces().Any(face => face.IsGenericType && face.GetGenericTypeDefinition() == typeof(ITiledProduct<>)))
            .ToHashSet();
        var registered = Registry.Kernels.Select(kernel => kernel.Method).ToList();
        var generic = registered.Where(method => method.IsGenericMethod).ToList();
        Assert.Equal(methods, registered.Except(generic).Concat(generic.Select(method => method.GetGenericMethodDefinition())).ToHashSet());
        Assert.Equal(products, generic.Select(method => method.GetGenericArguments()[0]).ToHashSet());
        Assert.NotEmpty(products);
    }

    public void Dispose()
    {
        _cuda.Dispose();
        _opencl.Dispose();
    }

    private PTXCompiledKernel Ptx(PortableKernel kernel, int capability)
    {
        var architecture = new CudaArchitecture(capability / 10, capability % 10);
        using var backend = new PTXBackend(
            _cuda, new CudaCapabilityContext(architecture), architecture, CudaInstructionSet.ISA_84, null);
        return Assert.IsType<PTXCompiledKernel>(KernelCompiler.Compile(backend, kernel));
    }

    private static PortableKernel Kernel(string name) => Registry.Kernels.First(kernel => kernel.Name == name);
}
