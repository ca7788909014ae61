using System.Globalization;
using System.Text.RegularExpressions;

namespace AutoencoderGpu.Benchmarks.Plot;

/// <summary>An operation under the roofs; instructions that do the same on maps of the same shapes are one.</summary>
/// <param name="Model"><c>fc</c> or <c>conv</c>.</param>
/// <param name="Number">By which the picture names it, from 1.</param>
/// <param name="Title">What it does, on which shapes.</param>
/// <param name="Intensity">FLOPs a byte.</param>
/// <param name="Gflops">10⁹ FLOPs a second.</param>
/// <param name="Share">Of the time of all instructions of its model.</param>
internal sealed partial record RooflinePoint(string Model, int Number, string Title, double Intensity, double Gflops, double Share)
{
    /// <summary>The operations that do arithmetic.</summary>
    public static IReadOnlyList<RooflinePoint> Of(IReadOnlyList<ModelTiming> timings)
    {
        var points = new List<RooflinePoint>();
        foreach (var timing in timings)
        {
            var total = timing.Operations.Sum(operation => operation.Us);
            var groups = timing.Operations.Where(operation => operation.Flops > 0)
                .GroupBy(operation => (operation.Operation, operation.Input, operation.Output));
            foreach (var group in groups)
            {
                double us = group.Sum(operation => operation.Us), flops = group.Sum(operation => operation.Flops);
                var bytes = group.Sum(operation => operation.Bytes);
                var title = TitleOf(group.First()) + (group.Count() > 1 ? string.Create(CultureInfo.InvariantCulture, $" (×{group.Count()})") : "");
                points.Add(new(timing.Model, points.Count + 1, title, flops / bytes, flops / us / 1e3, us / total));
            }
        }

        return points;
    }

    private static string TitleOf(OperationTiming operation)
    {
        var name = Times().Replace(WordStart().Replace(operation.Operation, " ").ToLowerInvariant(), "×").Replace("sgd", "SGD");
        var shapes = new[] { operation.Input, operation.Output }.Where(shape => shape != "none")
            .Select(shape => shape.Replace(" bordered", "").Replace("1×1×", ""));
        return $"{char.ToUpperInvariant(name[0])}{name[1..]} {string.Join(" to ", shapes)}".TrimEnd();
    }

    [GeneratedRegex("(?<=[a-z0-9])(?=[A-Z])|(?<=[a-z])(?=[0-9]x)")]
    private static partial Regex WordStart();

    [GeneratedRegex("(?<=[0-9])x")]
    private static partial Regex Times();
}
