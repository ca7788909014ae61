using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Tests.Kernels;
using Xunit;

[assembly: AssemblyFixture(typeof(ExecutorsUnderTest))]

namespace AutoencoderGpu.Tests.Kernels;

/// <summary>
/// Tests that run programs. An executor may not be used by two threads at once and wants the machine's cores for itself.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class OnExecutors
{
    public const string Name = "executors";
}

/// <summary>Opens each executor once for all tests.</summary>
public sealed class ExecutorsUnderTest : IDisposable
{
    public const string Main = "CPU 256 bits, 2 threads";
    public const string Simulator = "Simulator";

    private static readonly Dictionary<string, Lazy<Executor>> _executors = new()
    {
        [Main] = new(() => CpuExecutor.Create(2, SimdWidth.Bits256)),
        ["CPU 512 bits, 1 thread"] = new(() => CpuExecutor.Create(1, SimdWidth.Bits512)),
        ["CPU 128 bits, 3 threads"] = new(() => CpuExecutor.Create(3, SimdWidth.Bits128)),
        ["CPU scalar, 2 threads"] = new(() => CpuExecutor.Create(2, SimdWidth.Scalar)),
        [Simulator] = new(() => Accelerators.Open(AcceleratorKind.Simulator, 0, 1)),
        ["CUDA"] = new(() => Accelerators.Open(AcceleratorKind.Cuda, 0, 1)),
        ["OpenCL"] = new(() => Accelerators.Open(AcceleratorKind.OpenCL, 0, 1)),
    };

    public static IEnumerable<string> Names => _executors.Keys;

    /// <summary>Those that are fast enough on any machine for a whole network.</summary>
    public static IEnumerable<string> NamesForModels => [Main, "CUDA", "OpenCL"];

    /// <summary>The executor; where its device is missing, the test is skipped with the reason.</summary>
    public static Executor Open(string name)
    {
        try
        {
            return _executors[name].Value;
        }
        catch (AcceleratorException e) when (e.IsMissing)
        {
            Assert.Skip(e.Message);
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var executor in _executors.Values.Where(executor => executor.IsValueCreated))
            executor.Value.Dispose();
    }
}
