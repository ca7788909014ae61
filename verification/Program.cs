using System.Globalization;
using System.Text;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Gpu;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Verification;
using ILGPU;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;

// Assembles every portable kernel for NVIDIA's GPUs, without one: `Verification TOOLS [TABLE.md [--write]]`, where TOOLS is the folder of
// ptxas, nvdisasm and the driver's libcuda.so.1. The exit code is 1 if any kernel is refused, if the driver lacks a function, or if
// TABLE.md, which the same version of the tools has made, says otherwise; --write makes it anew.
(int Source, int Target)[] wanted = [(70, 70), (80, 80), (80, 90)]; // ILGPU's newest is sm_80; newer GPUs run it

if (args.Length is 0 or > 3 || (args.Length == 3 && args[2] != "--write"))
{
    Console.Error.WriteLine("usage: Verification TOOLS [TABLE.md [--write]], where TOOLS is the folder of ptxas, nvdisasm and libcuda.so.1");
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
var ordering = new int[Synchronisation.Kinds.Count()];
PortableKernel[] kernels = [.. Registry.Kernels];
foreach (var kernel in kernels)
{
    foreach (var (source, target) in architectures)
    {
        var (ptx, code) = Assemble(kernel, source, target, Check);
        if (code is null)
            continue;
        foreach (var wanting in Synchronisation.In(ptx).Where(wanting => wanting.Kind >= 0))
            ordering[wanting.Kind]++;
        var barriers = code.Instructions.Count(instruction => instruction.Name.StartsWith("BAR.SYNC", StringComparison.Ordinal));
        var counted = code.Loop ?? code.Instructions;
        var ffma = MachineCode.Ffma(counted);
        table.Append(CultureInfo.InvariantCulture, $"| {kernel.Name} | sm_{target} | {kernel.GroupSize} | {code.Registers} | {code.SharedBytes:N0} | ")
            .Append(CultureInfo.InvariantCulture, $"{100 * code.Occupancy(target, kernel.GroupSize):0} % | {barriers} | ")
            .Append(CultureInfo.InvariantCulture, $"{ffma} of {counted.Count}, {100.0 * ffma / counted.Count:0} %{(code.Loop is null ? ", no loop" : "")} |\n");
    }
}

var count = kernels.Length * architectures.Length;
var held = count - failures;
Console.WriteLine(
    $"{string.Join(", ", Synchronisation.Kinds.Zip(ordering, (kind, number) => $"{number} {kind}"))} of PTX were looked for in the machine code, each by its line");

// No kernel spins so far: that a lost instruction would be missed is tried on one that does.
var spinning = architectures.Count(pair => Assemble(SpinningKernel.Entry, pair.Source, pair.Target, CheckThatLossesAreFound).Code is not null);
Console.WriteLine($"a kernel that spins: what it must keep is there, and missed when it is left out, for {spinning} of {architectures.Length} architectures");

var driver = DriverFunctions.In(Path.Combine(args[0], "libcuda.so.1"));
foreach (var name in driver.Missing)
    Console.Error.WriteLine($"{name} is not in the driver's library");
Console.WriteLine($"{driver.Asked} functions of CUDA's driver are called: {driver.Asked - driver.Missing.Count} of {driver.Asked} are in its library");
Console.WriteLine($"{kernels.Length} kernels for {architectures.Length} architectures: {held} of {count} hold ({tools.Version})");
if (args.Length > 1)
    failures += CompareTable(args[1], $"""
        # The portable kernels as NVIDIA's GPUs get them

        Assembled from the PTX that the program generates ({tools.Version}), none with a spilled register, a stack frame or an array in
        local memory. Occupancy is what registers, shared memory and the group's size leave of a multiprocessor's 2,048 threads. FFMA are
        counted among all instructions of the innermost loop that has most of them, or of the kernel where there is no loop.

        | kernel | architecture | threads a group | registers | shared bytes | occupancy | barriers | FFMA of the innermost loop |
        |---|---|--:|--:|--:|--:|--:|--:|
        {table}
        """);

return failures + driver.Missing.Count == 0 ? 0 : 1;

(string Ptx, MachineCode? Code) Assemble(PortableKernel kernel, int source, int target, Func<string, MachineCode, string> check)
{
    var architecture = new CudaArchitecture(source / 10, source % 10);
    using var backend = new PTXBackend(context, new CudaCapabilityContext(architecture), architecture, CudaInstructionSet.ISA_84, null);
    var ptx = ((PTXCompiledKernel)KernelCompiler.Compile(backend, kernel)).PTXAssembly;
    var (code, objection) = tools.Assemble(ptx, target);
    if (code is not null)
        objection = check(ptx, code);
    if (objection.Length > 0)
    {
        failures++;
        Console.Error.WriteLine($"{kernel.Name}, sm_{target}: {objection}");
        return (ptx, null);
    }

    return (ptx, code);
}

static string Check(string ptx, MachineCode code) =>
    code.StackBytes > 0 ? $"{code.StackBytes} bytes of stack"
    : code.SharedBytes > PortableKernel.LargestSharedBytes ? $"{code.SharedBytes} bytes of shared memory, more than the {PortableKernel.LargestSharedBytes} that devices are asked for"
    : Synchronisation.Check(ptx, code);

static string CheckThatLossesAreFound(string ptx, MachineCode code)
{
    if (Synchronisation.Check(ptx, code) is { Length: > 0 } objection)
        return objection;
    var lines = Synchronisation.In(ptx).Select(wanting => wanting.Line).ToList();
    return lines.Find(line => Synchronisation.Check(ptx, code with { Instructions = [.. code.Instructions.Where(instruction => instruction.PtxLine != line)] }) == "") is var unseen and > 0
        ? $"that line {unseen} of its PTX were lost would go unseen"
        : lines.Count < 5 ? $"only {lines.Count} instructions order its threads" : "";
}

int CompareTable(string file, string text)
{
    if (args.Length == 3)
        File.WriteAllText(file, text);
    var there = File.ReadAllText(file);
    if (there == text)
        return 0;
    var isOfOthers = !there.Contains(tools.Version, StringComparison.Ordinal) || architectures.Length < wanted.Length;
    Console.Error.WriteLine(isOfOthers ? $"{file} was not compared: other tools have made it" : $"{file} is not what the kernels are now: --write makes it anew");
    return isOfOthers ? 0 : 1;
}
