using AutoencoderGpu.App;
using Spectre.Console;
using Xunit;

namespace AutoencoderGpu.Tests.App;

public sealed class NarrowTableTests
{
    private static readonly string[] _cells = ["conv16relu-pool-conv8relu-pool-flat-5732", "28,145", "1.19127", "1", "0.45414", "mnist"];

    [Theory]
    [InlineData(200, 1)]
    [InlineData(70, 1)]
    [InlineData(50, 2)]
    [InlineData(40, 3)]
    public void Numbers_stay_whole_and_lines_fit(int width, int tables)
    {
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(text), ColorSystem = ColorSystemSupport.NoColors, Ansi = AnsiSupport.No });
        console.Profile.Width = width;
        var table = Terminal.Table("model", ">parameters", ">best test loss", ">epoch", ">floor", "data");
        table.Title = new("a title");
        table.AddRow(_cells);
        var parts = NarrowTable.Of(table, console);
        Assert.Equal(tables, parts.Count);
        foreach (var part in parts)
            console.Write(part);

        var lines = text.ToString().Split('\n');
        Assert.All(lines, line => Assert.True(line.Length <= width, line));
        Assert.Single(lines, line => line.Contains("a title", StringComparison.Ordinal));
        foreach (var cell in _cells[1..])
            Assert.Contains(lines, line => line.Contains($" {cell} ", StringComparison.Ordinal));
        Assert.Equal(tables, lines.Count(line => line.Contains("model", StringComparison.Ordinal)));
        // The long name is all there, in however many lines.
        Assert.StartsWith(_cells[0], string.Concat(lines.Where(line => line.StartsWith('│')).Select(line => line.Split('│')[1].Trim()).SkipWhile(name => name is "model" or "")), StringComparison.Ordinal);
    }
}
