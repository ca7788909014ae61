using AutoencoderGpu.Models;
using AutoencoderGpu.Tests.Kernels;
using Xunit;

namespace AutoencoderGpu.Tests;

/// <summary>
/// Oracle values from libtorch, in the folder that the environment variable AUTOENCODER_GOLDEN names, else in the committed one.
/// </summary>
internal static class Golden
{
    public static string Folder { get; } =
        Environment.GetEnvironmentVariable("AUTOENCODER_GOLDEN") is { Length: > 0 } named ? named : Committed();

    /// <summary>Names without extension; a theory without any fails.</summary>
    public static IEnumerable<string> Names =>
        Directory.EnumerateFiles(Folder, "*.safetensors").Select(path => Path.GetFileNameWithoutExtension(path)).Order();

    public static IEnumerable<string> Operations => Of("op-");

    public static IEnumerable<string> Models => Of("model-");

    /// <summary>Names with a prefix, but for those of what the program does not have.</summary>
    public static IEnumerable<string> Of(string prefix) =>
        Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal) && !IsUnsupported(name));

    /// <summary>What a folder may hold without any layer or operation here that it could be compared with.</summary>
    public static bool IsUnsupported(string name) =>
        name.StartsWith("vae-", StringComparison.Ordinal) || name.Contains("convtranspose", StringComparison.Ordinal)
        || name.Contains("-stride", StringComparison.Ordinal) || name.StartsWith("train-strided", StringComparison.Ordinal);

    public static Safetensors Load(string name) => Safetensors.Load(Path.Combine(Folder, name + ".safetensors"));

    private static string Committed()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            foreach (var candidate in (string[])[Path.Combine(folder.FullName, "golden"), Path.Combine(folder.FullName, "tests", "golden")])
            {
                if (Directory.Exists(candidate))
                    return candidate;
            }
        }

        throw new DirectoryNotFoundException("No folder tests/golden above " + AppContext.BaseDirectory);
    }
}

/// <summary>Every combination of two lists, as a theory's rows.</summary>
internal static class Rows
{
    public static IEnumerable<TheoryDataRow<T1, T2>> Of<T1, T2>(IEnumerable<T1> first, IEnumerable<T2> second) =>
        from a in first from b in second select OnItsExecutor(new TheoryDataRow<T1, T2>(a, b), a);

    /// <summary>Marks a row whose first value names an executor, so that `-trait Executor=OpenCL` runs it and what is like it.</summary>
    public static TRow OnItsExecutor<TRow>(TRow row, object? first)
        where TRow : TheoryDataRowBase
    {
        if (first is string name && ExecutorsUnderTest.Names.Contains(name))
            row.Traits.Add("Executor", [name]);
        return row;
    }
}
