using Xunit;

namespace AutoencoderGpu.Tests.App;

public class SmokeTests
{
    [Fact]
    public void Skips() => Assert.Skip("no");

    [Fact]
    public void Passes() => Assert.Equal(2, 1 + 1);
}
