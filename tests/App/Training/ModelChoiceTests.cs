using AutoencoderGpu.App;
using AutoencoderGpu.App.Training;
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Models;
using Xunit;

namespace AutoencoderGpu.Tests.App.Training;

public class ModelChoiceTests
{
    private static readonly Shape _digit = new(28, 28, 1);

    [Theory]
    [InlineData("both", "conv", "both")]
    [InlineData("fc", "both", "fc; conv")]
    [InlineData("784-8-784", "784 - 8 - 784; fc", "784-8-784; fc")]
    [InlineData("784-8-784; fc", "784-16-784", "784-8-784; fc; 784-16-784")]
    public void A_union_has_every_network_once(string first, string second, string union) =>
        Assert.Equal(union, ModelChoice.Union(first, second, _digit, Interpolation.Bilinear));

    [Fact]
    public void A_union_with_a_network_twice_is_wrong_usage() => Assert.Equal(
        ExitCode.Usage, Assert.Throws<UserError>(() => ModelChoice.Union("fc", "784-8-784; 784-8-784", _digit, Interpolation.Bilinear)).Code);
}
