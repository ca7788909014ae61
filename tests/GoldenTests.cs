using Xunit;

namespace AutoencoderGpu.Tests;

public class GoldenTests
{
    public static IEnumerable<TheoryDataRow<string>> Unsupported => Golden.Names.Where(Golden.IsUnsupported)
        .DefaultIfEmpty("").Select(name => new TheoryDataRow<string>(name));

    /// <summary>A file that no test reads is told, not passed over.</summary>
    [Theory]
    [MemberData(nameof(Unsupported))]
    public void Is_not_supported(string name) =>
        Assert.SkipUnless(name.Length == 0, $"{name}: there are no strided or transposed convolutions and no variational codes to compare it with.");

    [Fact]
    public void Every_file_has_a_known_prefix() => Assert.All(Golden.Names, name => Assert.True(
        Golden.IsUnsupported(name) || ((string[])["op-", "model-", "train-"]).Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)),
        $"No test reads {name}."));
}
