using AutoencoderGpu.Kernels.Cpu;
using AutoencoderGpu.Kernels.Devices;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Simd;
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

    private static readonly Dictionary<string, Func<Executor>> _factories = new()
    {
        [Main] = () => CpuExecutor.Create(2, SimdWidth.Bits256),
        ["CPU 512 bits, 1 thread"] = () => CpuExecutor.Create(1, SimdWidth.Bits512),
        ["CPU 128 bits, 3 threads"] = () => CpuExecutor.Create(3, SimdWidth.Bits128),
        ["CPU scalar, 2 threads"] = () => CpuExecutor.Create(2, SimdWidth.Scalar),
        [Simulator] = () => Accelerators.Open(AcceleratorKind.Simulator, 0, 1),
        ["CUDA"] = () => Accelerators.Open(AcceleratorKind.Cuda, 0, 1),
        ["OpenCL"] = () => Accelerators.Open(AcceleratorKind.OpenCL, 0, 1),
    };

    private static readonly Dictionary<string, Lazy<Executor>> _executors =
        _factories.ToDictionary(factory => factory.Key, factory => new Lazy<Executor>(factory.Value));

    /// <summary>The accelerators that this machine does not have, with the reasons. One test says so, in place of hundreds.</summary>
    public static IReadOnlyDictionary<string, string> Missing { get; } = (
        from kind in new[] { AcceleratorKind.Cuda, AcceleratorKind.OpenCL }
        let found = Accelerators.Survey().Where(device => device.Kind == kind).ToArray()
        where !found.Any(device => device.IsUsable)
        select (Name: kind == AcceleratorKind.Cuda ? "CUDA" : "OpenCL", Reason: string.Join("; ", found.Select(device => device.Reason)))).ToDictionary();

    public static IEnumerable<string> Names => _factories.Keys.Where(name => !Missing.ContainsKey(name));

    /// <summary>Those that are fast enough on any machine for a whole network.</summary>
    public static IEnumerable<string> NamesForModels => Names.Where(name => name is Main or "CUDA" or "OpenCL");

    /// <summary>The executor; where its device is missing, the test is skipped with the reason.</summary>
    public static Executor Open(string name) => Opened(() => _executors[name].Value);

    /// <summary>A new one, for tests that set it up otherwise.</summary>
    public static Executor OpenAnother(string name) => Opened(_factories[name]);

    public void Dispose()
    {
        foreach (var executor in _executors.Values.Where(executor => executor.IsValueCreated))
            executor.Value.Dispose();
    }

    private static Executor Opened(Func<Executor> open)
    {
        try
        {
            return open();
        }
        catch (AcceleratorException e) when (e.IsMissing)
        {
            Assert.Skip(e.Message);
            throw;
        }
    }
}
