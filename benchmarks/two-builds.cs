// Times training steps of two builds by turns in one process: dotnet run benchmarks/two-builds.cs OLD NEW MODEL BATCH [SECONDS [THREADS]].
// OLD and NEW are the folders of two published programs, MODEL is fc or conv. Each turn takes about 20 ms, so what others do to the machine meets
// both alike. Prints the medians of the steps of either in microseconds, and the median of the ratios new / old of neighbouring turns.
#:property TieredPGO=false
#:property TieredCompilationQuickJitForLoops=false
#:property PublishAot=false
#:property RestorePackagesWithLockFile=false

using System.Diagnostics;
using System.Globalization;
using System.Runtime.Loader;

if (args.Length < 4 || !int.TryParse(args[3], CultureInfo.InvariantCulture, out var batch) || batch is < 1 or > Build.Images / 4)
{
    Console.Error.WriteLine($"dotnet run benchmarks/two-builds.cs OLD NEW MODEL BATCH [SECONDS [THREADS]], BATCH at most {Build.Images / 4}");
    return 2;
}

var model = args[2];
var seconds = args.Length > 4 ? double.Parse(args[4], CultureInfo.InvariantCulture) : 10;
var threads = args.Length > 5 ? int.Parse(args[5], CultureInfo.InvariantCulture) : Math.Min(2, Environment.ProcessorCount);
Build[] builds = [new(Path.GetFullPath(args[0]), model, batch, threads), new(Path.GetFullPath(args[1]), model, batch, threads)];
foreach (var build in builds)
{
    // Until all is compiled for good.
    for (var watch = Stopwatch.StartNew(); watch.Elapsed.TotalSeconds < 3;)
        build.MicrosecondsOfStep(1);
}

var steps = Math.Clamp((int)(20_000 / builds.Max(build => build.MicrosecondsOfStep(4))), 1, Build.Images / batch);
List<double>[] times = [[], []];
for (var (watch, turn) = (Stopwatch.StartNew(), 0); watch.Elapsed.TotalSeconds < seconds; turn++)
{
    foreach (var side in (ReadOnlySpan<int>)(turn % 2 == 0 ? [0, 1] : [1, 0]))
        times[side].Add(builds[side].MicrosecondsOfStep(steps));
}

var ratio = Median(times[1].Zip(times[0], (now, before) => now / before));
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Median(times[0]):0.0} {Median(times[1]):0.0} {ratio:0.0000}"));
return 0;

static double Median(IEnumerable<double> values)
{
    double[] sorted = [.. values.Order()];
    return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
}

/// <summary>A model, of the program in a folder, that trains on the CPU. Only names that all builds have in common are used, and those by reflection.</summary>
internal sealed class Build
{
    public const int Images = 2_000;
    private const int Size = 28 * 28;
    private const float Rate = 0.01f;
    private readonly AssemblyLoadContext _context;
    private readonly string _folder;
    private readonly object _model;
    private readonly object _feed;
    private readonly int _stepsOfEpoch;
    private int _step;

    public Build(string folder, string model, int batch, int threads)
    {
        _folder = folder;
        _context = new(folder);
        _context.Resolving += (context, name) => PathOf(name.Name!) is var path && File.Exists(path) ? context.LoadFromAssemblyPath(path) : null;
        var executors = TypeOf("Kernels", "CpuExecutor");
        var executor = executors.GetMethod("Create")!.Invoke(null, [threads, executors.GetProperty("DefaultSimd")!.GetValue(null)])!;
        var networks = TypeOf("Models", "Network");
        var network = model == "fc"
            ? networks.GetProperty("FullyConnected")!.GetValue(null)!
            : networks.GetMethod("Convolutional")!.Invoke(null, [Enum.ToObject(TypeOf("Kernels", "Interpolation"), 0)])!;
        var make = TypeOf("Models", "Model").GetConstructors()[0];
        _model = make.Invoke([executor, network, batch, .. make.GetParameters().Skip(3).Select(parameter => parameter.DefaultValue)]);
        Call(_model, "Initialise", 1UL);
        _feed = Call(executor, "CreateFeed", (ReadOnlyMemory<byte>)Pixels(), Size, batch)!;
        _stepsOfEpoch = Images / batch;
        SetRate();
    }

    /// <summary>Trains so many steps, and says how long one of them has taken.</summary>
    public double MicrosecondsOfStep(int steps)
    {
        if (_step + steps > _stepsOfEpoch)
            _step = 0;
        var begin = Stopwatch.GetTimestamp();
        Call(_model, "Train", _feed, _step, steps);
        Call(_feed, "ReadLosses", _step, steps);
        _step += steps;
        return Stopwatch.GetElapsedTime(begin).TotalMicroseconds / steps;
    }

    private void SetRate()
    {
        var rates = Enumerable.Repeat(Rate, _stepsOfEpoch).ToArray();
        var method = _feed.GetType().GetMethod("SetLearningRates")!;
        if (method.GetParameters().Length == 1)
            method.CreateDelegate<SetRates>(_feed)(rates);
        else
            method.CreateDelegate<SetRatesAfter>(_feed)(rates, 0);
    }

    /// <summary>A fifth of them is not black, as of handwritten digits.</summary>
    private static byte[] Pixels()
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, Images * Size).Select(_ => (byte)Math.Max(0, random.Next(1280) - 1024))];
    }

    private static object? Call(object target, string method, params object[] arguments) => target.GetType().GetMethod(method)!.Invoke(target, arguments);

    private Type TypeOf(string assembly, string name) =>
        _context.LoadFromAssemblyPath(PathOf("AutoencoderGpu." + assembly)).GetTypes().Single(type => type.Name == name);

    private string PathOf(string assembly) => Path.Combine(_folder, assembly + ".dll");

    private delegate void SetRates(ReadOnlySpan<float> rates);

    private delegate void SetRatesAfter(ReadOnlySpan<float> rates, int stepsBefore);
}
