using System.Globalization;
using System.Text.Json;
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Models;

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
    IReadOnlyList<OperationTiming> Operations)
{
    /// <summary>For people.</summary>
    public string Title => Network.Published(Interpolation.Bilinear).Single(network => network.Name == Model).Title;
}

/// <summary>What <c>autoencoder bench</c> says.</summary>
internal sealed record Timings(IReadOnlyList<ModelTiming> Models)
{
    private static readonly JsonSerializerOptions _json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>How long it waits for others to end their work.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(1);

    /// <summary>Runs it for several sizes of mini-batches. The roofs are the highest that were seen, the same for all.</summary>
    public static IReadOnlyList<ModelTiming> Measure(Settings settings, params int[] batchSizes)
    {
        ModelTiming[] timings = [.. batchSizes.SelectMany(batchSize => Measure(batchSize, settings))];
        var peak = timings.Max(timing => timing.PeakGflops);
        return
        [
            .. timings.Select(timing => timing with
            {
                PeakGflops = peak,
                PeakShare = timing.Gflops / peak,
                CacheGbPerSecond = timings.Max(other => other.CacheGbPerSecond),
                MemoryGbPerSecond = timings.Max(other => other.MemoryGbPerSecond),
                Operations =
                [
                    .. timing.Operations.Select(operation => operation with { PeakShare = operation.Flops > 0 ? operation.Gflops / peak : null }),
                ],
            }),
        ];
    }

    private static IReadOnlyList<ModelTiming> Measure(int batchSize, Settings settings)
    {
        string[] arguments =
        [
            "bench", "--accelerator", "cpu", "--threads", settings.Threads.ToString(CultureInfo.InvariantCulture),
            "--batch-size", batchSize.ToString(CultureInfo.InvariantCulture), "--json",
        ];
        Machine.WaitForQuiet(_patience);
        var output = Programs.Run(Programs.Autoencoder, settings.IsQuick ? [.. arguments, "--steps", "5"] : arguments);
        return JsonSerializer.Deserialize<Timings>(output, _json)!.Models;
    }
}
