using AutoencoderGpu.Kernels.Executors;
using ILGPU;
using ILGPU.Runtime.OpenCL;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

public sealed class AcceleratorErrorsTests
{
    public static TheoryData<Exception, string?, bool> Cases => new()
    {
        { new CLException(CLError.CL_MEM_OBJECT_ALLOCATION_FAILURE), "not enough memory: CL_MEM_OBJECT_ALLOCATION_FAILURE", true },
        { new AggregateException(new InsufficientMemoryException("Full.")), "not enough memory: Full", true },
        { new AcceleratorException("explained", new InsufficientMemoryException()), "explained", true },
        { new CLException(CLError.CL_INVALID_KERNEL), "the accelerator failed: CL_INVALID_KERNEL", false },
        { new InternalCompilerException("In this kernel:", new NotSupportedException("Throw\nis not.")), "the accelerator failed: In this kernel: Throw is not", false },
        { new IOException("The disk is full."), null, false },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_fault_of_an_accelerator_is_a_line_and_no_other_is(Exception error, string? line, bool isOutOfMemory)
    {
        Assert.Equal(line, AcceleratorErrors.Explain(error));
        Assert.Equal(isOutOfMemory, AcceleratorErrors.IsOutOfMemory(error));
    }
}
