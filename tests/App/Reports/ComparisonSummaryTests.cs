using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AutoencoderGpu.App.Reports;
using AutoencoderGpu.App.Training;
using Xunit;

namespace AutoencoderGpu.Tests.App.Reports;

public class ComparisonSummaryTests
{
    [Theory]
    [InlineData("runs", "[null]")]
    [InlineData("runs", "null")]
    [InlineData("groups", "[null]")]
    [InlineData("groups", "[]")]
    [InlineData("seeds", "[1, 1]")]
    [InlineData("seeds", "[2]")]
    [InlineData("seeds", "[]")]
    [InlineData("learning_rates", "[1, 1]")]
    [InlineData("learning_rates", "[-1]")]
    [InlineData("runs.model", "\"../../x\"")]
    [InlineData("runs.model", "\"\"")]
    [InlineData("runs.learning_rate", "-5")]
    [InlineData("runs.seed", "3")]
    [InlineData("runs.collapsed", "null")]
    [InlineData("options.epochs", "0")]
    [InlineData("versions", "5")]
    public void What_no_comparison_can_say_is_refused(string place, string value)
    {
        var run = new ComparedRun("fc", 1, 1, "collapsed", null);
        var json = JsonNode.Parse(new ComparisonSummary(
            TrainingRun.Versions, new("cpu", "CPU"), new TrainingOptions().ToJson(), [0.1, 1], [1], new("mnist", "x", false, 1, 1), GroupSummary.Of([run]), [run]).ToJson())!;
        ComparisonSummary.Parse(Encoding.UTF8.GetBytes(json.ToJsonString()));
        var names = place.Split('.');
        var parent = names is ["runs", _] ? json["runs"]![0]! : names is [var first, _] ? json[first]! : json;
        parent[names[^1]] = JsonNode.Parse(value);
        Assert.Throws<JsonException>(() => ComparisonSummary.Parse(Encoding.UTF8.GetBytes(json.ToJsonString())));
    }
}
