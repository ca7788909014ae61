using AutoencoderGpu.App;
using AutoencoderGpu.App.Reports;
using Xunit;

namespace AutoencoderGpu.Tests.App.Reports;

public sealed class MetricsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Csv => _folder["metrics.csv"];

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
    public void Every_number_reads_back_to_the_same_bits()
    {
        var random = new Random(1);
        EpochRecord[] epochs =
        [
            .. Enumerable.Range(1, 100).Select(i => new EpochRecord(
                "fc", i, random.NextDouble(), random.NextDouble() * 1e-300, random.NextSingle(), random.NextDouble() * 1e6)),
            new("conv", 1, double.NaN, double.NegativeInfinity, double.Epsilon, double.MaxValue),
        ];

        Metrics.Write(Csv, epochs);

        Assert.Equal(epochs, Metrics.Read(Csv));
    }

    [Fact]
    public void Append_adds_a_line_and_begins_the_file()
    {
        foreach (EpochRecord epoch in ReferenceCurves.Fc)
        {
            Metrics.Append(Csv, epoch);
            Assert.EndsWith("\n", File.ReadAllText(Csv), StringComparison.Ordinal);
        }

        Assert.Equal(ReferenceCurves.Fc, Metrics.Read(Csv));
        Assert.Equal(["metrics.csv"], _folder.Names);
    }

    [Theory]
    [InlineData("", "first line")]
    [InlineData("epoch,loss\n", "first line")]
    [InlineData(Metrics.Header + "\nfc,1,0.5,0.5,1,2\nfc,2,0.5,0.", "line 3")]
    [InlineData(Metrics.Header + "\nfc,one,0.5,0.5,1,2\n", "line 2")]
    [InlineData(Metrics.Header + "\nfc,1,0.5,0.5,1,2,3\n", "line 2")]
    [InlineData(Metrics.Header + "\nfc,1,half,0.5,1,2\n", "line 2")]
    public void A_damaged_file_is_one_line(string content, string expected)
    {
        File.WriteAllText(Csv, content);

        UserError error = Assert.Throws<UserError>(() => Metrics.Read(Csv));

        Assert.Equal(ExitCode.Data, error.Code);
        Assert.StartsWith($"Cannot read {Csv}: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_missing_file_is_one_line() =>
        Assert.Equal(ExitCode.Data, Assert.Throws<UserError>(() => Metrics.Read(Csv)).Code);

    [Fact]
    public void A_name_that_would_break_the_line_is_refused_and_the_file_stays()
    {
        Metrics.Append(Csv, ReferenceCurves.Fc[0]);

        Assert.Throws<ArgumentException>(() => Metrics.Append(Csv, ReferenceCurves.Fc[0] with { Model = "a,b" }));

        Assert.Single(Metrics.Read(Csv));
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
