using System.Text.RegularExpressions;

namespace AutoencoderGpu.Verification;

/// <summary>
/// What threads rely on to see one another's work: barriers, atomics, fences, and reads and writes that other threads answer, such as those
/// of a spin loop. An assembler may copy such an instruction with the loop around it, but never leave it out; each is looked for
/// in the machine code of its own line, so that a copy of one does not stand for another.
/// </summary>
/// <remarks>A plain read is none: the assembler may take it out of a loop that spins on it, so none may.</remarks>
internal static class Synchronisation
{
    private static readonly (string Kind, string Ptx, string Machine)[] _kinds =
    [
        ("barriers", @"^(bar|barrier)\.(cta\.)?sync\b", @"^BAR\.SYNC\b"),
        ("atomics", @"^(atom|red)\.", @"^(ATOM|RED)[GS]?\b"),
        ("ordered reads", @"^ld\.(volatile|relaxed|acquire)\b", @"^LD.*\.STRONG\b"),
        ("ordered writes", @"^st\.(volatile|relaxed|release)\b", @"^ST.*\.STRONG\b"),
        ("fences", @"^(membar|fence)\.", @"^MEMBAR\b"),
    ];

    /// <summary>Whether an instruction of PTX orders threads, in any way that there is.</summary>
    private static readonly Regex _any = new(
        @"^(m?barrier|bar|atom|red|membar|fence)\.|\.(sync|volatile|relaxed|acquire|release|acq_rel|mmio)\b", RegexOptions.Compiled);

    /// <summary>The kinds of instructions that are checked, in their order.</summary>
    public static IEnumerable<string> Kinds => _kinds.Select(kind => kind.Kind);

    /// <summary>The lines of PTX that hold such instructions, with the place of their kind, −1 if that cannot be checked.</summary>
    public static IEnumerable<(int Line, int Kind, string Text)> In(string ptx) =>
        from line in ptx.Split('\n').Index()
        let text = Regex.Replace(line.Item, @"^\s*(@!?%?\w+\s+)?", "").TrimEnd()
        where _any.IsMatch(text)
        select (line.Index + 1, Array.FindIndex(_kinds, kind => Regex.IsMatch(text, kind.Ptx)), text);

    /// <summary>What of it the machine code has lost, or could lose unseen; empty if nothing.</summary>
    public static string Check(string ptx, MachineCode code)
    {
        var missing = In(ptx).Where(wanted => wanted.Kind < 0 || !code.Instructions.Any(
            found => found.PtxLine == wanted.Line && Regex.IsMatch(found.Name, _kinds[wanted.Kind].Machine)));
        return string.Join(", ", missing.Select(
            lost => $"line {lost.Line} of the PTX, {lost.Text}, {(lost.Kind < 0 ? "is of a kind that cannot be checked" : "is not in the machine code")}"));
    }
}
