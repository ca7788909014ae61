using System.Diagnostics;

namespace AutoencoderGpu.Verification;

/// <summary>NVIDIA's assembler and disassembler, which need no GPU.</summary>
/// <param name="folder">Where <c>ptxas</c> and <c>nvdisasm</c> are.</param>
internal sealed class CudaTools(string folder)
{
    /// <summary>Assembles a kernel; warnings are errors, and so are registers that are spilled and arrays left in local memory.</summary>
    /// <returns>The machine code, or what the assembler objected to.</returns>
    public (MachineCode? Code, string Objection) Assemble(string ptx, int capability)
    {
        var source = Path.GetTempFileName();
        var binary = Path.GetTempFileName();
        try
        {
            File.WriteAllText(source, ptx);
            var (assembled, report) = Run(
                "ptxas", "--warning-as-error", "--warn-on-spills", "--warn-on-local-memory-usage", "--verbose", "--generate-line-info", $"--gpu-name=sm_{capability}", source, "--output-file", binary);
            if (!assembled)
                return (null, report.ReplaceLineEndings(" ").Trim());
            var (disassembled, listing) = Run("nvdisasm", "--print-code", "--print-line-info-ptx", binary);
            var code = MachineCode.Parse(report, listing);
            // Of code that cannot be read nothing is known.
            return !disassembled ? (null, $"nvdisasm failed: {listing.ReplaceLineEndings(" ").Trim()}")
                : code.Instructions.All(instruction => instruction.PtxLine == 0) ? (null, "nvdisasm lists no instructions with their lines of PTX")
                : (code, "");
        }
        finally
        {
            File.Delete(source);
            File.Delete(binary);
        }
    }

    /// <summary>Whether the assembler has this architecture; new ones leave old ones out.</summary>
    public bool Has(int capability) => Run("ptxas", "--help").Output.Contains($"'sm_{capability}'", StringComparison.Ordinal);

    /// <summary>The assembler's name and version.</summary>
    public string Version => Run("ptxas", "--version").Output.Split('\n').First(line => line.Contains("release", StringComparison.Ordinal)).Trim();

    private (bool Succeeded, string Output) Run(string tool, params string[] arguments)
    {
        var info = new ProcessStartInfo(Path.Combine(folder, tool), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(info)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode == 0, output + errors.Result);
    }
}
