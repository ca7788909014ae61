using System.Globalization;
using System.Text.Json;

namespace AutoencoderGpu.Benchmarks;

/// <summary>An instruction of a training step, timed by itself; names as in <c>bench --json</c>.</summary>
internal sealed record OperationTiming(
    string Operation, string Input, string Output, double Us, double Gflops, double? PeakShare, double GbPerSecond, long Flops, long Bytes);

/// <summary>A model's training step, timed; names as in <c>bench --json</c>.</summary>
internal sealed record ModelTiming(
    string Model,
    string Device,
    int BatchSize,
    double UsPerStep,
    double Gflops,
    double PeakShare,
    double GbPerSecond,
    double PeakGflops,
    double CacheGbPerSecond,
    double MemoryGbPerSecond,
    IReadOnlyList<OperationTiming> Operations);

/// <summary>What <c>autoencoder bench</c> says.</summary>
internal sealed record Timings(IReadOnlyList<ModelTiming> Models)
{
    private static readonly JsonSerializerOptions _json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Runs it.</summary>
    public static IReadOnlyList<ModelTiming> Measure(int batchSize, Settings settings)
    {
        string[] arguments =
        [
            "bench", "--accelerator", "cpu", "--threads", settings.Threads.ToString(CultureInfo.InvariantCulture),
            "--batch-size", batchSize.ToString(CultureInfo.InvariantCulture), "--json",
        ];
        var output = Programs.Run(Programs.Autoencoder, settings.IsQuick ? [.. arguments, "--steps", "5"] : arguments);
        return JsonSerializer.Deserialize<Timings>(output, _json)!.Models;
    }
}
