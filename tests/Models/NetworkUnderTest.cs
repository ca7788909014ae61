using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Operations;
using AutoencoderGpu.Models;
using AutoencoderGpu.Tests.Kernels;
using Xunit;

namespace AutoencoderGpu.Tests.Models;

/// <summary>A compiled network whose input is written as floats: it runs without the gather.</summary>
internal sealed class NetworkUnderTest : IDisposable
{
    /// <summary>
    /// A rate at which a step's parameters tell the gradients, w − rate·g, with an error of little more than a rounding of g. The
    /// gradients themselves do not depend on it, since a layer's weights are updated after their last use.
    /// </summary>
    private const float TellingRate = 1 << 20;

    private readonly Executor _executor;
    private readonly CompiledNetwork _compiled;
    private readonly Arena _arena;
    private readonly InstructionList _training;
    private readonly int _batch;

    public NetworkUnderTest(string executor, Network network, int batch, float maximalNorm = 0, Optimiser? optimiser = null)
    {
        _executor = ExecutorsUnderTest.Open(executor);
        Network = network;
        _batch = batch;
        var options = new CompilerOptions(batch, maximalNorm, _executor.GradientSplits);
        _compiled = Compiler.Compile(network, optimiser is null ? options : options with { Optimiser = optimiser });
        _arena = _executor.CreateArena(_compiled.ArenaLength);
        Assert.Equal("Gather", _compiled.Training.Instructions[0].Name);
        _training = new InstructionList([.. _compiled.Training.Instructions.Skip(1)]);
    }

    public Network Network { get; }

    public IReadOnlyList<Parameter> Parameters => _compiled.Parameters;

    /// <summary>Parameters as a run begins with them, by PyTorch's names and layouts.</summary>
    public Dictionary<string, float[]> InitialValues(int seed) => Parameters.ToDictionary(
        parameter => parameter.Name,
        parameter => new Values(seed + parameter.Offset).Next(
            parameter.Count, -1 / Math.Sqrt(parameter.FanIn), 1 / Math.Sqrt(parameter.FanIn)));

    public ReferenceNetwork Reference(Dictionary<string, float[]> parameters, float[] images) => new(
        Network,
        parameters.ToDictionary(item => item.Key, item => Tests.Kernels.Reference.Exact(item.Value)),
        Tests.Kernels.Reference.Exact(images));

    public void Write(Dictionary<string, float[]> parameters)
    {
        foreach (var parameter in Parameters)
            _arena.Write(parameter.Offset, parameter.ToArena(parameters[parameter.Name]));
    }

    public Dictionary<string, float[]> Read() => Parameters.ToDictionary(parameter => parameter.Name, parameter =>
    {
        var values = new float[parameter.Count];
        _arena.Read(parameter.Offset, values);
        return parameter.FromArena(values);
    });

    /// <summary>One training step; the mean loss of its images.</summary>
    /// <param name="images">(count, C, H, W).</param>
    /// <param name="rate">The learning rate.</param>
    /// <param name="stepsBefore">Steps that were made already.</param>
    public double Step(float[] images, float rate, int stepsBefore = 0)
    {
        var count = images.Length / Network.Input.Size;
        for (var image = 0; image < count; image++)
            _arena.WriteImage(_compiled.Input, image, ChannelsLast(images.AsSpan(image * Network.Input.Size, Network.Input.Size), Network.Input));
        using var feed = _executor.CreateFeed(new byte[count], 1, _batch);
        feed.SetLearningRates([rate], stepsBefore);
        _executor.Run(_training, _arena, feed, 0, 1);
        return feed.ReadLosses(0, 1).Average(loss => (double)loss);
    }

    /// <summary>(count, C, H, W)</summary>
    public float[] Output(int count) =>
        [.. Enumerable.Range(0, count).SelectMany(image => ChannelsFirst(_arena.ReadImage(_compiled.Output, image), Network.Input))];

    /// <summary>The gradients of a step that begins with these parameters.</summary>
    public Dictionary<string, float[]> Gradients(Dictionary<string, float[]> parameters, float[] images)
    {
        Write(parameters);
        Step(images, TellingRate);
        var after = Read();
        return parameters.ToDictionary(
            item => item.Key,
            item => item.Value.Zip(after[item.Key], (w, updated) => (float)(((double)w - updated) / TellingRate)).ToArray());
    }

    public void Dispose() => _arena.Dispose();

    private static float[] ChannelsLast(ReadOnlySpan<float> image, Shape shape)
    {
        var result = new float[image.Length];
        var area = shape.Height * shape.Width;
        for (var i = 0; i < image.Length; i++)
            result[i % area * shape.Channels + i / area] = image[i];
        return result;
    }

    private static float[] ChannelsFirst(ReadOnlySpan<float> image, Shape shape)
    {
        var result = new float[image.Length];
        var area = shape.Height * shape.Width;
        for (var i = 0; i < image.Length; i++)
            result[i % shape.Channels * area + i / shape.Channels] = image[i];
        return result;
    }

    /// <summary>
    /// Off by what the sums of up to ten layers may be, in each of which rounding errors are of the size of the largest terms: ten
    /// times the bound of the longest sum, that of 784 inputs, of the tensor's largest element.
    /// </summary>
    public static double Bound(IEnumerable<double> tensor) => 10 * Tolerance.Gamma(Digits.Size) * tensor.Max(Math.Abs);

    public static void Check(string what, float[] actual, double[] expected)
    {
        var bound = Bound(expected);
        Tolerance.Check(what, actual, expected, _ => bound);
    }
}
