using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Operations;
using AutoencoderGpu.Verification;
using ILGPU;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;

// Assembles every portable kernel for NVIDIA's GPUs, without one: `Verification TOOLS [TABLE.md]`, where TOOLS is the folder of ptxas,
// nvdisasm and the driver's libcuda.so.1. The exit code is 1 if any kernel is refused, or the driver lacks a function.
const int SharedLimit = 48 * 1024; // without asking the driver for more
const int FewestFfma = 32; // fewer are no loop that multiplies
(int Source, int Target)[] wanted = [(70, 70), (80, 80), (80, 90)]; // ILGPU's newest is sm_80; newer GPUs run it

if (args.Length is 0 or > 2)
{
    Console.Error.WriteLine("usage: Verification TOOLS [TABLE.md], where TOOLS is the folder of ptxas, nvdisasm and libcuda.so.1");
    return 2;
}

var tools = new CudaTools(args[0]);
var architectures = wanted.Where(pair => tools.Has(pair.Target)).ToArray();
foreach (var (_, target) in wanted.Except(architectures))
    Console.WriteLine($"not checked: sm_{target}, which this assembler does not have");
if (architectures.Length == 0)
    return 1;
using var context = Context.Create(builder => KernelCompiler.Configure(builder, AcceleratorKind.Cuda));
var table = new StringBuilder();
var failures = 0;
PortableKernel[] kernels = [.. Catalog.Kernels];
foreach (var kernel in kernels)
{
    foreach (var (source, target) in architectures)
    {
        var ptx = Generate(kernel, source);
        var (code, objection) = tools.Assemble(ptx, target);
        if (code is not null)
            objection = Check(ptx, code);
        if (objection.Length > 0)
        {
            failures++;
            Console.Error.WriteLine($"{kernel.Name}, sm_{target}: {objection}");
        }

        if (code is not null)
        {
            table.Append(CultureInfo.InvariantCulture, $"| {kernel.Name} | sm_{target} | {kernel.GroupSize} | {code.Registers} | {code.SharedBytes:N0} | ")
                .Append(CultureInfo.InvariantCulture, $"{100 * code.Occupancy(target, kernel.GroupSize):0} % | {code.Barriers} | ")
                .Append(code.Ffma < FewestFfma ? "–" : string.Create(CultureInfo.InvariantCulture, $"{code.Ffma} of {code.BlockLength}, {100 * code.FfmaShare:0} %"))
                .Append(" |\n");
        }
    }
}

var driver = DriverFunctions.In(Path.Combine(args[0], "libcuda.so.1"));
foreach (var name in driver.Missing)
    Console.Error.WriteLine($"{name} is not in the driver's library");
Console.WriteLine($"{driver.Asked} functions of CUDA's driver are called: {driver.Asked - driver.Missing.Count} of {driver.Asked} are in its library");
var count = kernels.Length * architectures.Length;
Console.WriteLine($"{kernels.Length} kernels for {architectures.Length} architectures: {count - failures} of {count} hold ({tools.Version})");
if (args.Length == 2)
{
    File.WriteAllText(args[1], $"""
        # The portable kernels as NVIDIA's GPUs get them

        Assembled from the PTX that the program generates ({tools.Version}), none with a spilled register, a stack frame or an array in
        local memory. Occupancy is what registers, shared memory and the group's size leave of a multiprocessor's 2,048 threads. FFMA are
        counted in the basic block that has most of them, the unrolled innermost loop.

        | kernel | architecture | threads a group | registers | shared bytes | occupancy | barriers | FFMA of the innermost loop |
        |---|---|--:|--:|--:|--:|--:|--:|
        {table}
        """);
}

return failures + driver.Missing.Count == 0 ? 0 : 1;

string Generate(PortableKernel kernel, int capability)
{
    var architecture = new CudaArchitecture(capability / 10, capability % 10);
    using var backend = new PTXBackend(context, new CudaCapabilityContext(architecture), architecture, CudaInstructionSet.ISA_84, null);
    return ((PTXCompiledKernel)KernelCompiler.Compile(backend, kernel)).PTXAssembly;
}

static string Check(string ptx, MachineCode code)
{
    if (code.StackBytes > 0)
        return $"{code.StackBytes} bytes of stack";
    if (code.SharedBytes > SharedLimit)
        return $"{code.SharedBytes} bytes of shared memory, more than {SharedLimit}";
    // An assembler may copy a barrier with the loop around it, but never leave one out.
    var barriers = Regex.Count(ptx, @"\bbar\.sync|\bbarrier\.sync");
    return code.Barriers < barriers ? $"{code.Barriers} of {barriers} barriers are left" : "";
}
