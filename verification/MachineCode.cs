using System.Globalization;
using System.Text.RegularExpressions;

namespace AutoencoderGpu.Verification;

/// <summary>What a kernel became for one GPU architecture.</summary>
/// <param name="Registers">A thread's.</param>
/// <param name="SharedBytes">A group's.</param>
/// <param name="StackBytes">A thread's, with what is spilled.</param>
/// <param name="Barriers">Barrier instructions.</param>
/// <param name="Ffma">FFMA instructions in the basic block that has most of them.</param>
/// <param name="BlockLength">All instructions of that block.</param>
internal sealed record MachineCode(int Registers, int SharedBytes, int StackBytes, int Barriers, int Ffma, int BlockLength)
{
    /// <summary>FFMA among the instructions of the innermost loop, which the assembler unrolls into one block.</summary>
    public double FfmaShare => BlockLength == 0 ? 0 : (double)Ffma / BlockLength;

    /// <summary>Reads what <c>ptxas -v</c> and <c>nvdisasm -c</c> say.</summary>
    public static MachineCode Parse(string assemblerOutput, string disassembly)
    {
        var (ffma, length) = DensestBlock(disassembly);
        return new(
            Number(assemblerOutput, @"Used (\d+) registers"),
            Number(assemblerOutput, @"(\d+) bytes smem"),
            Number(assemblerOutput, @"(\d+) bytes stack frame") + Number(assemblerOutput, @"(\d+) bytes spill stores"),
            Regex.Count(disassembly, @"\bBAR\.SYNC"),
            ffma,
            length);
    }

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

    private static (int Ffma, int Length) DensestBlock(string disassembly)
    {
        var best = (Ffma: 0, Length: 0);
        var current = best;
        foreach (var line in disassembly.Split('\n'))
        {
            var instruction = Regex.Match(line, @"/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9_.]*)");
            var isLabel = line.StartsWith(".L_", StringComparison.Ordinal);
            if (!instruction.Success && !isLabel)
                continue;
            var name = instruction.Groups[1].Value;
            if (name == "FFMA")
                current.Ffma++;
            if (!isLabel)
                current.Length++;
            if (current.Ffma > best.Ffma)
                best = current;
            // What follows the last FFMA of a block belongs to it, too.
            else if (best.Ffma > 0 && current.Ffma == best.Ffma && current.Length > best.Length)
                best = current;
            if (isLabel || name is "BRA" or "EXIT" or "BRX" || name.StartsWith("BAR", StringComparison.Ordinal))
                current = (0, 0);
        }

        return best;
    }

    private static int Number(string text, string pattern) =>
        Regex.Match(text, pattern) is { Success: true } match ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
}
