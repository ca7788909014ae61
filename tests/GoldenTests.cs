using Xunit;

namespace AutoencoderGpu.Tests;

public class GoldenTests
{
    /// <summary>A file that no test reads is told, not passed over.</summary>
    [Fact]
    public void All_are_supported()
    {
        string[] unsupported = [.. Golden.Names.Where(Golden.IsUnsupported)];
        Assert.SkipUnless(
            unsupported.Length == 0,
            $"there are no strided or transposed convolutions and no variational codes to compare with {unsupported.Length} files: {string.Join(", ", unsupported)}");
    }

    [Fact]
    public void Every_file_has_a_known_prefix() => Assert.All(Golden.Names, name => Assert.True(
        Golden.IsUnsupported(name) || ((string[])["op-", "model-", "train-"]).Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)),
        $"No test reads {name}."));
}
