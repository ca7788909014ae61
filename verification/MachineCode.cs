using System.Globalization;
using System.Text.RegularExpressions;

namespace AutoencoderGpu.Verification;

/// <summary>An instruction of machine code.</summary>
/// <param name="Name">With its modifiers, such as BAR.SYNC.DEFER_BLOCKING.</param>
/// <param name="PtxLine">Which line of the PTX it was made from, counted from 1.</param>
/// <param name="Target">The label to which it branches; null where it does not.</param>
internal readonly record struct MachineInstruction(string Name, int PtxLine, string? Target);

/// <summary>What a kernel became for one GPU architecture.</summary>
/// <param name="Registers">A thread's.</param>
/// <param name="SharedBytes">A group's.</param>
/// <param name="StackBytes">A thread's, with what is spilled.</param>
/// <param name="Instructions">All of them.</param>
/// <param name="Loop">Those of the innermost loop with the most FFMA, null where there is no loop.</param>
internal sealed record MachineCode(
    int Registers, int SharedBytes, int StackBytes, IReadOnlyList<MachineInstruction> Instructions, IReadOnlyList<MachineInstruction>? Loop)
{
    /// <summary>Reads what <c>ptxas -v</c> and <c>nvdisasm -c -gp</c> say.</summary>
    public static MachineCode Parse(string assemblerOutput, string disassembly)
    {
        var instructions = new List<MachineInstruction>();
        var labels = new Dictionary<string, int>();
        var ptxLine = 0;
        foreach (var line in disassembly.Split('\n'))
        {
            if (Regex.Match(line, @"^\s*//## File .*, line (\d+)") is { Success: true } source)
                ptxLine = int.Parse(source.Groups[1].Value, CultureInfo.InvariantCulture);
            else if (Regex.Match(line, @"^(\.L_\w+):") is { Success: true } label)
                labels[label.Groups[1].Value] = instructions.Count;
            else if (Regex.Match(line, @"/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?(?!NOP\b)([A-Z][A-Z0-9_.]*)(?:.*`\((\.L_\w+)\))?") is { Success: true } match)
                instructions.Add(new(match.Groups[1].Value, ptxLine, match.Groups[2] is { Success: true } target ? target.Value : null));
        }

        return new(
            Number(assemblerOutput, @"Used (\d+) registers"),
            Number(assemblerOutput, @"(\d+) bytes smem"),
            Number(assemblerOutput, @"(\d+) bytes stack frame") + Number(assemblerOutput, @"(\d+) bytes spill stores"),
            instructions,
            InnermostLoopOf(instructions, labels));
    }

    /// <summary>How many of some instructions are FFMA.</summary>
    public static int Ffma(IReadOnlyList<MachineInstruction> instructions) => instructions.Count(instruction => instruction.Name == "FFMA");

    /// <summary>Groups that run on a multiprocessor at once, as a share of the threads that it can hold.</summary>
    /// <remarks>
    /// CUDA C++ programming guide, "Technical specifications per compute capability": 65,536 registers, handed out to warps in units
    /// of 256, 2,048 threads and 32 groups; from 8.0 on each group's shared memory takes 1 KB more.
    /// </remarks>
    public double Occupancy(int capability, int groupSize)
    {
        const int threads = 2048, groups = 32, registers = 65536, warp = 32;
        var shared = capability switch { < 80 => 96, < 90 => 164, _ => 228 } * 1024;
        var warps = (groupSize + warp - 1) / warp;
        var registersOfWarp = (Registers * warp + 255) / 256 * 256;
        var reserved = capability < 80 ? 0 : 1024;
        int[] limits =
        [
            groups,
            threads / (warps * warp),
            registers / Math.Max(1, registersOfWarp) / warps,
            SharedBytes + reserved == 0 ? groups : shared / (SharedBytes + reserved),
        ];
        return (double)limits.Min() * warps * warp / threads;
    }

    /// <summary>
    /// A loop is what a branch goes back over, and innermost if none lies in it. The assembler ends every kernel with a branch
    /// to itself, which is none.
    /// </summary>
    private static List<MachineInstruction>? InnermostLoopOf(List<MachineInstruction> instructions, Dictionary<string, int> labels)
    {
        var loops = instructions.Index()
            .Where(branch => branch.Item.Name.StartsWith("BRA", StringComparison.Ordinal) && branch.Item.Target is not null)
            .Select(branch => (Begin: labels[branch.Item.Target!], End: branch.Index + 1))
            .Where(loop => loop.Begin < loop.End - 1)
            .GroupBy(loop => loop.Begin, (begin, ends) => (Begin: begin, End: ends.Max(loop => loop.End)))
            .ToList();
        return loops
            .Where(loop => !loops.Any(other => other != loop && loop.Begin <= other.Begin && other.End <= loop.End))
            .Select(loop => instructions[loop.Begin..loop.End])
            .MaxBy(Ffma);
    }

    private static int Number(string text, string pattern) =>
        Regex.Match(text, pattern) is { Success: true } match ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
}
