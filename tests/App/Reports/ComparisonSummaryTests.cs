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
    [InlineData("runs", "[null]", "one of its runs")]
    [InlineData("runs", "null", "Runs")]
    [InlineData("groups", "[null]", "its groups")]
    [InlineData("groups", "[]", "its groups")]
    [InlineData("seeds", "[1, 1]", "twice")]
    [InlineData("seeds", "[2]", "one of its runs")]
    [InlineData("seeds", "[]", "no seeds")]
    [InlineData("learning_rates", "[1, 1]", "twice")]
    [InlineData("learning_rates", "[-1]", "learning_rates")]
    [InlineData("runs.model", "\"../../x\"", "one of its runs")]
    [InlineData("runs.model", "\"\"", "one of its runs")]
    [InlineData("runs.model", "\"conv\"", "its groups")]
    [InlineData("runs.learning_rate", "-5", "one of its runs")]
    [InlineData("runs.seed", "3", "one of its runs")]
    [InlineData("runs.collapsed", "null", "one of its runs")]
    [InlineData("options.epochs", "0", "its epochs is 0")]
    [InlineData("versions", "5", "VersionsSummary")]
    public void What_no_comparison_can_say_is_refused(string place, string value, string reason)
    {
        var run = new ComparedRun("fc", 1, 1, "collapsed", null);
        var json = JsonNode.Parse(new ComparisonSummary(
            TrainingRun.Versions, new("cpu", "CPU"), new TrainingOptions().ToJson(), [0.1, 1], [1], new("mnist", "x", false, 1, 1), GroupSummary.Of([run]), [run]).ToJson())!;
        ComparisonSummary.Parse(Encoding.UTF8.GetBytes(json.ToJsonString()));
        var names = place.Split('.');
        var parent = names is ["runs", _] ? json["runs"]![0]! : names is [var first, _] ? json[first]! : json;
        parent[names[^1]] = JsonNode.Parse(value);
        var refusal = Assert.Throws<JsonException>(() => ComparisonSummary.Parse(Encoding.UTF8.GetBytes(json.ToJsonString())));
        Assert.Contains(reason, refusal.Message, StringComparison.OrdinalIgnoreCase);
    }
}
