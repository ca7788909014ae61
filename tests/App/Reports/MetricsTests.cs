using AutoencoderGpu.App.Reports;
using Xunit;

namespace AutoencoderGpu.Tests.App.Reports;

public sealed class MetricsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Csv => _folder.File("metrics.csv");

    [Fact]
    public void Text_is_exactly_this()
    {
        Metrics.Write(Csv,
        [
            new("fc", 1, 0.598312, 0.548468, 1, 1.5),
            new("conv", 10, 0.1 + 0.2, 1e-7, 0.1, 12),
            new("conv", 11, double.NaN, double.PositiveInfinity, 0.1, 12),
        ]);

        Assert.Equal(
            """
            model,epoch,train_loss,test_loss,learning_rate,seconds
            fc,1,0.598312,0.548468,1,1.5
            conv,10,0.30000000000000004,1E-07,0.1,12
            conv,11,NaN,Infinity,0.1,12

            """.ReplaceLineEndings("\n"),
            File.ReadAllText(Csv));
    }

    [Fact]
    public void A_name_that_would_break_the_line_is_refused_and_the_file_stays()
    {
        Metrics.Write(Csv, ReferenceCurves.Fc);
        var before = File.ReadAllText(Csv);

        Assert.Throws<ArgumentException>(() => Metrics.Write(Csv, [ReferenceCurves.Fc[0] with { Model = "a,b" }]));

        Assert.Equal(before, File.ReadAllText(Csv));
    }

    [Fact]
    public void Reference_curves_are_the_published_ones()
    {
        Assert.Equal(10, ReferenceCurves.Fc.Count);
        Assert.Equal(10, ReferenceCurves.Conv.Count);
        Assert.Equal(0.498816, ReferenceCurves.Of("fc").Min(e => e.TestLoss));
        Assert.Equal(0.476074, ReferenceCurves.Of("conv").Min(e => e.TestLoss));
        Assert.Equal(Enumerable.Range(1, 10), ReferenceCurves.Conv.Select(e => e.Epoch));
        Assert.Empty(ReferenceCurves.Of("other"));
    }
}
