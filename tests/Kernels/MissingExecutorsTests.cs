using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

/// <summary>Says once what could not be tested here.</summary>
public sealed class MissingExecutorsTests
{
    [Theory]
    [InlineData("CUDA")]
    [InlineData("OpenCL")]
    public void Every_test_of_kernels_runs_on(string executor) => Assert.SkipWhen(
        ExecutorsUnderTest.Missing.ContainsKey(executor), $"no test runs on {executor}: {ExecutorsUnderTest.Missing.GetValueOrDefault(executor)}");
}
