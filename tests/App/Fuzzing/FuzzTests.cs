using System.CommandLine;
using System.CommandLine.Invocation;
using System.Globalization;
using System.Text.Json;
using AutoencoderGpu.App;
using AutoencoderGpu.App.Data;
using AutoencoderGpu.App.Images;
using AutoencoderGpu.App.Reports;
using AutoencoderGpu.App.Training;
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Cpu;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Models;
using AutoencoderGpu.Tests.App.Data;
using CsCheck;
using SkiaSharp;
using Xunit;

namespace AutoencoderGpu.Tests.App.Fuzzing;

/// <summary>
/// Every reader takes damaged input or refuses it with the exception that it names: no other one, no hang, no memory beyond what the input can be worth,
/// and nothing damaged taken for whole. A few thousand cases each; AUTOENCODER_FUZZ_CASES asks for more.
/// </summary>
public sealed class FuzzTests : IDisposable
{
    private const long MostBytes = 64 << 20;
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(5);

    private static readonly int _cases =
        int.TryParse(Environment.GetEnvironmentVariable("AUTOENCODER_FUZZ_CASES"), NumberStyles.None, CultureInfo.InvariantCulture, out var cases) ? cases : 3000;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Idx_files() => Run(Mutations.OfBytes([Idx.Images(), Idx.Labels(7, 9)]), bytes =>
    {
        var read = Refused(typeof(UserError), () => IdxFile.ReadImages(_folder.Write("file", bytes)));
        Assert.True(read is null || read.Values.Length == bytes.Length - 16 && read.Dimensions.Aggregate(1, (product, size) => product * size) == read.Values.Length);
        Refused(typeof(UserError), () => IdxFile.ReadLabels(_folder.Write("file", bytes)));
    });

    [Fact]
    public void Gzip_files()
    {
        var whole = Idx.Bytes(0x803, [20, 28, 28], [.. Enumerable.Range(0, 20 * 784).Select(i => (byte)(i * i >> 5))]);
        Run(Mutations.OfBytes([Idx.Gzip(whole)]), bytes =>
        {
            // Its checksum is of the content: whatever is read is what was written, or no gzip stream at all.
            if (Refused(typeof(UserError), () => IdxFile.ReadImages(_folder.Write("file", bytes))) is { } read)
                Assert.Equal(whole[16..], read.Values);
        });
    }

    [Fact]
    public void Safetensors_files()
    {
        using var file = new MemoryStream();
        Safetensors.Save(file, [("a.weight", new([2, 3], [1, 2, 3, 4, 5, 6])), ("a.bias", new([2], [7, 8]))], new Dictionary<string, string> { ["notation"] = "784-2-784" });
        Run(Mutations.OfBytes([file.ToArray()]), bytes =>
        {
            if (Refused(typeof(InvalidDataException), () => Safetensors.Load(_folder.Write("file", bytes))) is { } read)
            {
                Assert.All(read.Tensors.Values, tensor => Assert.Equal(tensor.Shape.Aggregate(1L, (product, size) => product * size), tensor.Values.Length));
                Refused(typeof(InvalidDataException), () => NetworkFile.Read(read.Metadata, read.Tensors.Keys, null));
            }
        });
    }

    [Fact]
    public void Checkpoints()
    {
        using var executor = CpuExecutor.Create(1, SimdWidth.Scalar);
        var network = Notation.Parse("4-2-4", new Shape(2, 2, 1), Interpolation.Bilinear);
        using var model = new Model(executor, network, 2);
        model.Initialise(1);
        var folder = new RunFolder(_folder.Path);
        Directory.CreateDirectory(Path.GetDirectoryName(folder.Checkpoint(network.Name))!);
        var file = new CheckpointFile(folder, network.Name, "a run", 10);
        var state = new Checkpoint([new(network.Name, 1, 0.5, 0.25, 1, 3) { EndedAt = DateTimeOffset.UnixEpoch }], 3, 1.5, 2, 3, [0.5, 0.25]);
        file.Save(state, model, Weights.Of(model));
        var whole = File.ReadAllBytes(file.Path);
        var expected = JsonSerializer.Serialize(state);
        Run(Mutations.OfBytes([whole]), bytes =>
        {
            File.WriteAllBytes(file.Path, bytes);
            // Spaces of the header may change without a change of content; all else is under the checksum.
            if (Refused(typeof(UserError), file.Read) is { } read)
                Assert.Equal(expected, JsonSerializer.Serialize(read));
        });
    }

    [Fact]
    public void Summaries()
    {
        var dataset = new DatasetSummary("synthetic", "built in", false, 100, 50);
        string[] samples =
        [
            .. new TrainingOptions[] { new(), new() { Model = "784-16-784", Momentum = 0.9, WarmUp = 3, TrainLimit = 5, Threads = 2, Dataset = "mnist" } }
                .Select(options => new RunSummary(TrainingRun.Versions, new("cpu", "CPU"), options.ToJson(), dataset, []).ToJson()),
        ];
        Run(Mutations.OfJson(samples), json =>
        {
            if (Refused(typeof(JsonException), () => RunRecord.Parse(json)) is { } read)
                AssertPossible(read.Options);
        });
    }

    [Fact]
    public void Comparisons()
    {
        var dataset = new DatasetSummary("synthetic", "built in", false, 100, 50);
        var run = new ComparedRun("fc", 1, 1, "collapsed", null);
        string[] samples =
        [
            new ComparisonSummary(TrainingRun.Versions, new("cpu", "CPU"), new TrainingOptions().ToJson(), [0.1, 1], [1, 2], dataset, GroupSummary.Of([run]), [run]).ToJson(),
        ];
        Run(Mutations.OfJson(samples), json =>
        {
            if (Refused(typeof(JsonException), () => ComparisonSummary.Parse(json)) is { } read)
            {
                Assert.Equal(GroupSummary.Of(read.Runs), read.Groups);
                AssertPossible(TrainingOptions.FromJson(read.Options));
                Assert.All(read.LearningRates, rate => Assert.True((float)rate > 0 && float.IsFinite((float)rate)));
            }
        });
    }

    [Fact]
    public void Command_lines()
    {
        var root = Program.CreateRoot();
        string[] words =
        [
            "train", "eval", "compare", "bench", "data", "devices", "reconstruct", "--", "-", "", "@x", "--model", "784-2-784", "fc;conv", "--epochs", "--batch-size",
            "--learning-rate", "--learning-rates", "0.1,1", "1e400", "1e-50", "-1", "0", "1", "NaN", "99999999999", "--seed", "--seeds", "1-3", "3-1", "--threads", "2000",
            "--output", "-o", "--resume", "--force", "--device-memory", "3G", "1e30T", "--optimizer", "adam", "--schedule", "cosine", "--checkpoint-every", "--json",
            "--weights", "\ud800", "日本", "--epochs=3", "--epochs:", "--help", "-h", "--version", "\0", "[suggest]", "[diagram]",
        ];
        Run(Mutations.OfWords(words, 8), arguments =>
        {
            var parsed = root.Parse(arguments, Program.Parsing);
            Assert.All(parsed.Errors, error => Assert.NotEqual("", error.Message.Trim()));
            // Values are not asked for where help or suggestions are.
            if (parsed.Errors.Count > 0 || parsed.Action is SynchronousCommandLineAction)
                return;
            foreach (var option in parsed.CommandResult.Command.Options.Concat(root.Options).OfType<Option<int>>())
                Assert.True(parsed.GetValue(option) >= 0, option.Name);
        });
    }

    [Fact]
    public void Notations()
    {
        string[] words =
        [
            "dense", "conv", "pool", "up", "flatten", "unflatten", "relu", "sigmoid", "tanh", "leakyrelu", "nearest", "bilinear", ",", ", ", "|", " | ", " ", "-", "784", "16",
            "0", "-1", "2147483647", "99999999999", "14x14x16", "7x", "x7", "0x0x0", "784-16-784", "é", "\ud800", "\n", "e1", "1.5",
        ];
        Run(Mutations.OfWords(words, 14), parts =>
        {
            var text = string.Concat(parts);
            if (Refused(typeof(NotationException), () => Notation.Parse(text, new Shape(28, 28, 1), Interpolation.Bilinear)) is not { } network)
                return;
            // What is read can be written, and read again to the same.
            Assert.Equal(Notation.Of(network), Notation.Of(Notation.Parse(Notation.Of(network), new Shape(28, 28, 1), Interpolation.Bilinear)));
        });
    }

    [Fact]
    public void Images()
    {
        using var picture = new Picture(20, 30);
        picture.FillRectangle(5, 5, 4, 20, 0x102030);
        picture.SavePng(_folder.File("sample.png"));
        byte[][] samples = [File.ReadAllBytes(_folder.File("sample.png")), .. Encoded()];
        Run(Mutations.OfBytes(samples), bytes =>
        {
            if (Refused(typeof(UserError), () => Picture.ReadGrey(_folder.Write("file", bytes))) is { } read)
                Assert.Equal(read.Pixels.Length, read.Width * read.Height);
        }, bytesOf: 1L << 29);
    }

    private static IEnumerable<byte[]> Encoded()
    {
        using var bitmap = new SKBitmap(new SKImageInfo(24, 16));
        foreach (var format in new[] { SKEncodedImageFormat.Jpeg, SKEncodedImageFormat.Webp, SKEncodedImageFormat.Png })
        {
            using var data = bitmap.Encode(format, 90);
            yield return data.ToArray();
        }
    }

    private static void AssertPossible(TrainingOptions options)
    {
        Assert.True(options.Epochs >= 1 && options.BatchSize >= 1 && options.Threads is null or >= 1 and <= 1024);
        Assert.True((float)options.LearningRate > 0 && float.IsFinite((float)options.LearningRate));
        ModelChoice.Check(options, DataSource.ImageShape);
    }

    /// <summary>What a reader makes of input, or null if it refuses it as it should.</summary>
    private static T? Refused<T>(Type refusal, Func<T?> read)
        where T : class
    {
        try
        {
            return read();
        }
        catch (Exception e) when (refusal.IsInstanceOfType(e))
        {
            Assert.NotEqual("", e.Message);
            return null;
        }
    }

    private static void Run<T>(Gen<T> cases, Action<T> check, long bytesOf = MostBytes)
    {
        var random = new PCG(1, 20261128);
        for (var number = 0; number < _cases; number++)
        {
            var input = cases.Generate(random, null, out _);
            var (begin, before) = (TimeProvider.System.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread());
            try
            {
                check(input);
                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, bytesOf);
                Assert.InRange(TimeProvider.System.GetElapsedTime(begin), TimeSpan.Zero, _longest);
            }
            catch (Exception e)
            {
                var shown = input switch { byte[] bytes => Convert.ToBase64String(bytes), string[] words => string.Join('·', words), _ => "" };
                throw new InvalidOperationException($"Case {number}: {shown}", e);
            }
        }
    }
}
