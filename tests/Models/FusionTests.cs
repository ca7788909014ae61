using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Operations;
using AutoencoderGpu.Models;
using AutoencoderGpu.Tests.Kernels;
using Xunit;

namespace AutoencoderGpu.Tests.Models;

/// <summary>Every fused form against the plain instructions that it stands for.</summary>
[Collection(OnExecutors.Name)]
public class FusionTests
{
    private const int Batch = 3;
    private const int Count = 5; // the second mini-batch has two images

    private static readonly string[] _pooled = ["PooledConv3x3"];
    private static readonly string[] _pooledWeights = ["PooledConv3x3BackwardWeights"];
    private static readonly string[] _dense = ["DenseBackwardUpdate"];
    private static readonly string[] _upsampled = ["UpsampledConv3x3Project", "UpsampledConv3x3Interpolate"];
    private static readonly string[] _upsampledWeights = ["UpsampledConv3x3InterpolateBackward", "UpsampledConv3x3BackwardWeights"];
    private static readonly string[] _upsampledInput = ["UpsampledConv3x3BackwardInput"];

    /// <summary>Layers by the fused instructions of an evaluation, and by those that are in a training step beside them.</summary>
    private static readonly Dictionary<string, (Shape Input, Func<Activation, Layer[]> Layers, string[] Forward, string[] Backward)> _cases = new()
    {
        ["convolution and pooling first"] = (
            new(6, 8, 3), f => [Conv(4, f), new MaxPoolLayer(), Up(), Conv(3, f)],
            [.. _pooled, .. _upsampled], [.. _pooledWeights, .. _upsampledWeights, .. _upsampledInput]),
        // The input's gradient needs the whole map's.
        ["convolution and pooling second"] = (
            new(6, 8, 2), f => [Conv(3, f), Conv(5, f), new MaxPoolLayer(), Up(), Conv(2, f)],
            [.. _pooled, .. _upsampled], [.. _upsampledWeights, .. _upsampledInput]),
        // The last row and the last column are dropped.
        ["pooling of odd sides"] = (
            new(7, 9, 1), f => [Conv(3, f), new MaxPoolLayer(), Conv(1, f), new MaxPoolLayer(), new DenseLayer(null, 63, f)],
            [.. _pooled], [.. _pooledWeights, .. _dense]),
        ["channels that suit Winograd"] = (
            new(6, 8, 16), f => [Conv(32, f), new MaxPoolLayer(), Conv(32, f), Up(), Conv(16, f)],
            [.. _pooled, .. _upsampled], [.. _pooledWeights, .. _upsampledWeights, .. _upsampledInput]),
        ["pooling first"] = (
            new(6, 8, 2), f => [new MaxPoolLayer(), Conv(3, f), Up(), Conv(2, f)],
            [.. _upsampled], [.. _upsampledWeights, .. _upsampledInput]),
        ["pooling twice"] = (
            new(8, 4, 2), f => [new MaxPoolLayer(), new MaxPoolLayer(), Conv(3, f), Up(), Up(), Conv(2, f)],
            [.. _upsampled], [.. _upsampledWeights, .. _upsampledInput]),
        ["upsampling first"] = (
            new(4, 6, 2), f => [Up(), Conv(3, f), new MaxPoolLayer(), Conv(2, f)],
            [.. _upsampled], [.. _upsampledWeights]),
        ["upsampling last"] = (
            new(4, 6, 2), f => [Conv(3, f), new MaxPoolLayer(), Conv(2, f), Up()],
            [.. _pooled], [.. _pooledWeights]),
        ["upsampling and pooling"] = (
            new(4, 6, 2), f => [Conv(3, f), Up(), new MaxPoolLayer(), Conv(2, f)],
            [], []),
        ["upsampling to one channel"] = (
            new(4, 6, 1), f => [Conv(3, f), new MaxPoolLayer(), new UpsampleLayer(Interpolation.Nearest), Conv(1, f)],
            [.. _pooled, .. _upsampled], [.. _pooledWeights, .. _upsampledWeights, .. _upsampledInput]),
        ["dense"] = (
            new(4, 5, 1), f => [new DenseLayer(null, 7, f), new DenseLayer(null, 3, f), new DenseLayer(null, 20, f)],
            [], [.. _dense]),
        // Their parameters are those of one run, of which the update of the convolution is the rest.
        ["dense behind a convolution"] = (
            new(4, 6, 1), f => [Conv(1, f), new DenseLayer(null, 5, f), new DenseLayer(null, 24, f)],
            [], [.. _dense]),
    };

    private static readonly string[] _fused = [.. _pooled, .. _pooledWeights, .. _dense, .. _upsampled, .. _upsampledWeights, .. _upsampledInput];

    public static IEnumerable<TheoryDataRow<string, string>> Cases =>
        Rows.Of(ExecutorsUnderTest.Names.Where(name => name != ExecutorsUnderTest.Simulator), _cases.Keys);

    public static IEnumerable<TheoryDataRow<string>> Names => _cases.Keys.Select(name => new TheoryDataRow<string>(name));

    public static IEnumerable<TheoryDataRow<string, string>> Published =>
        Rows.Of(ExecutorsUnderTest.NamesForModels, ["fc", "conv-bilinear", "conv-nearest"]);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Trains_as_the_plain_instructions_do(string executor, string name)
    {
        foreach (var activation in Enum.GetValues<Activation>())
        {
            Compare(executor, NetworkOf(name, activation), 0);
            Compare(executor, NetworkOf(name, activation), 1e-3f);
        }
    }

    [Theory]
    [MemberData(nameof(Published))]
    public void Published_models_train_as_the_plain_instructions_do(string executor, string name) => Compare(executor, name switch
    {
        "fc" => Network.FullyConnected,
        "conv-nearest" => Network.Convolutional(Interpolation.Nearest),
        _ => Network.Convolutional(Interpolation.Bilinear),
    }, 0);

    [Theory]
    [MemberData(nameof(Names))]
    public void Fuses_what_can_be_fused(string name)
    {
        var (_, _, forward, backward) = _cases[name];
        foreach (var norm in (float[])[0, 1])
        {
            var (plain, fused) = Both(NetworkOf(name, Activation.Relu), new(Batch, norm, GradientSplits: 3));
            Assert.Empty(FusedOf(plain.Training));
            Assert.Empty(FusedOf(plain.Evaluation));
            // Whatever reads the stored gradients of a dense layer keeps them stored.
            var expected = forward.Concat(backward).Where(fusion => norm == 0 || !_dense.Contains(fusion));
            Assert.Equal(expected.Order(), FusedOf(fused.Training));
            Assert.Equal(forward.Order(), FusedOf(fused.Evaluation));
            Assert.Equal(norm > 0, fused.Training.Instructions.Any(instruction => instruction.Name == "GradientNorm"));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Leaves_no_instruction_whose_results_nobody_reads(string name)
    {
        foreach (var norm in (float[])[0, 1])
        {
            var (_, fused) = Both(NetworkOf(name, Activation.Sigmoid), new(Batch, norm));
            foreach (var program in (InstructionList[])[fused.Training, fused.Evaluation])
            {
                var operands = program.Instructions.Select(Operands.Of).ToList();
                for (var i = 0; i < operands.Count; i++)
                {
                    // Parameters are what a step is for, and a loss is read by the host.
                    var isUsed = operands[i].Updated.Count > 0 || program.Instructions[i].Name == "MeanSquaredError"
                        || operands[i].Written.Any(place => operands.Where((_, other) => other != i).Any(other => other.Reads(place)));
                    Assert.True(isUsed, $"Nobody reads what {program.Instructions[i].Name} writes in a network of {name}.");
                }
            }
        }
    }

    [Fact]
    public void The_gradient_of_a_dense_layer_is_stored_for_every_update_but_plain_descent()
    {
        foreach (var optimiser in Optimiser.All)
        {
            var (_, fused) = Both(Network.FullyConnected, new(Batch) { Optimiser = optimiser });
            Assert.Equal(optimiser.Name == "sgd" ? _dense : [], FusedOf(fused.Training));
        }
    }

    /// <summary>The published models, whose every instruction counts.</summary>
    [Fact]
    public void Published_models_are_the_instructions_that_they_were_measured_with()
    {
        var (_, fc) = Both(Network.FullyConnected, new(Batch));
        Assert.Equal(
            [
                "Gather", "DenseForward", "DenseForward", "DenseForward", "DenseForward", "MeanSquaredError",
                "DenseBackwardUpdate", "DenseBackwardUpdate", "DenseBackwardUpdate", "DenseBackwardUpdate",
            ],
            fc.Training.Instructions.Select(instruction => instruction.Name));
        var (_, conv) = Both(Network.Convolutional(Interpolation.Bilinear), new(Batch, 0.25f));
        Assert.Equal(
            [
                "Gather", "PooledConv3x3", "PooledConv3x3", "Conv3x3", "UpsampledConv3x3Project", "UpsampledConv3x3Interpolate",
                "UpsampledConv3x3Project", "UpsampledConv3x3Interpolate", "MeanSquaredError",
            ],
            conv.Training.Instructions.Take(9).Select(instruction => instruction.Name));
    }

    private static ConvLayer Conv(int outputs, Activation activation) => new ConvLayer(null, outputs, activation);

    private static UpsampleLayer Up() => new UpsampleLayer(Interpolation.Bilinear);

    private static Network NetworkOf(string name, Activation activation)
    {
        var (input, layers, _, _) = _cases[name];
        return new(name, name, name, input, layers(activation), 1)
        {
            Normalisation = new([.. Enumerable.Repeat(0.4, input.Channels)], [.. Enumerable.Repeat(0.25, input.Channels)]),
        };
    }

    private static (CompiledNetwork Plain, CompiledNetwork Fused) Both(Network network, CompilerOptions options) =>
        (Compiler.Compile(network, options with { Fuses = false }), Compiler.Compile(network, options));

    private static IEnumerable<string> FusedOf(InstructionList program) =>
        program.Instructions.Select(instruction => instruction.Name).Intersect(_fused).Order();

    private static void Compare(string name, Network network, float norm)
    {
        var executor = ExecutorsUnderTest.Open(name);
        var (plain, fused) = Both(network, new(Batch, norm, executor.GradientSplits));
        var images = new Values(network.Input.Size).Bytes(Count * network.Input.Size);
        var expected = new Outcome(executor, plain, images);
        var actual = new Outcome(executor, fused, images);
        foreach (var (tensor, values) in expected.Gradients)
            Check($"{tensor}'s gradient", actual.Gradients[tensor], values);
        Check("losses of two steps", actual.Losses, expected.Losses);
        Check("losses after them", actual.LossesAfter, expected.LossesAfter);
        Check("outputs after them", actual.Outputs, expected.Outputs);
        foreach (var (tensor, values) in expected.Parameters)
        {
            var bound = 2 * Outcome.Rate * NetworkUnderTest.Bound(Reference.Exact(expected.Gradients[tensor]));
            Tolerance.Check($"{tensor} after two steps", actual.Parameters[tensor], Reference.Exact(values), i =>
                bound + 4 * Tolerance.Rounding * Math.Abs(values[i]));
        }

        void Check(string what, float[] found, float[] wanted) =>
            NetworkUnderTest.Check($"{network.Name}, {network.OutputActivation}: {what}", found, Reference.Exact(wanted));
    }

    /// <summary>What training leaves behind.</summary>
    private sealed class Outcome
    {
        public const float Rate = 0.25f;

        /// <summary>A rate at which a step tells the gradients, w − rate·g, with an error of little more than a rounding of g.</summary>
        private const float TellingRate = 1 << 20;

        public Outcome(Executor executor, CompiledNetwork compiled, byte[] images)
        {
            using var arena = executor.CreateArena(compiled.ArenaLength);
            using var feed = executor.CreateFeed(images, images.Length / Count, Batch);
            foreach (var (offset, values) in compiled.Constants)
                arena.Write(offset, values);
            var initial = compiled.Parameters.ToDictionary(parameter => parameter.Name, parameter =>
                new Values(parameter.Count + parameter.FanIn).Next(parameter.Count, -1 / Math.Sqrt(parameter.FanIn), 1 / Math.Sqrt(parameter.FanIn)));

            Write();
            feed.SetLearningRates([TellingRate, TellingRate]);
            executor.Run(compiled.Training, arena, feed, 0, 1);
            Gradients = Read().ToDictionary(item => item.Key, item =>
                item.Value.Zip(initial[item.Key], (after, w) => (float)(((double)w - after) / TellingRate)).ToArray());

            Write();
            feed.SetLearningRates([Rate, Rate]);
            executor.Run(compiled.Training, arena, feed, 0, 2);
            Losses = feed.ReadLosses(0, 2);
            Parameters = Read();
            executor.Run(compiled.Evaluation, arena, feed, 0, 2);
            LossesAfter = feed.ReadLosses(0, 2);
            Outputs = [.. Enumerable.Range(0, Count - Batch).SelectMany(image => arena.ReadImage(compiled.Output, image))];

            void Write()
            {
                foreach (var parameter in compiled.Parameters)
                    arena.Write(parameter.Offset, parameter.ToArena(initial[parameter.Name]));
            }

            Dictionary<string, float[]> Read() => compiled.Parameters.ToDictionary(parameter => parameter.Name, parameter =>
            {
                var values = new float[parameter.Count];
                arena.Read(parameter.Offset, values);
                return parameter.FromArena(values);
            });
        }

        public Dictionary<string, float[]> Gradients { get; }

        public float[] Losses { get; }

        public Dictionary<string, float[]> Parameters { get; }

        public float[] LossesAfter { get; }

        public float[] Outputs { get; }
    }

    /// <summary>Where an instruction reads and writes.</summary>
    private sealed class Operands : OperandVisitor
    {
        private readonly List<(int Start, int End)> _read = [];

        public List<(int Start, int End)> Written { get; } = [];

        public List<(int Start, int End)> Updated { get; } = [];

        public static Operands Of(Instruction instruction)
        {
            var operands = new Operands();
            instruction.Visited(operands);
            return operands;
        }

        public bool Reads((int Start, int End) place) =>
            _read.Concat(Updated).Any(read => read.Start < place.End && place.Start < read.End);

        protected override void Map(ref FeatureMap map, Access access, Border border, int copies, int distance) =>
            Add(access, map.Offset, (copies - 1) * distance + Batch * map.ImageStride);

        protected override void Slice(ref int offset, int length, Access access) => Add(access, offset, length);

        private void Add(Access access, int offset, int length) =>
            (access switch { Access.Read => _read, Access.Write => Written, _ => Updated }).Add((offset, offset + length));
    }
}
