using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Cpu;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Operations;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;
using AutoencoderGpu.Models;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

/// <summary>
/// What would read or write memory that is not meant, or end the process, is an exception that says what is wrong. It comes before anything
/// runs, and the executor works afterwards.
/// </summary>
[Collection(OnExecutors.Name)]
public class MisuseTests
{
    private const int Batch = 2;
    private const int Count = 5;
    private const int Steps = 3;
    private const int ImageSize = 6;
    private const int ArenaLength = 128;
    private static readonly FeatureMap _map = new(64, 2, 3, 1, 0);

    /// <summary>Each with the argument that the exception names.</summary>
    private static readonly Dictionary<string, (string Argument, Action<Setup> Act)> _misuses = new()
    {
        ["too short an order"] = ("order.Length", setup => setup.Feed.SetOrder(new int[Count - 1])),
        ["too long an order"] = ("order.Length", setup => setup.Feed.SetOrder(new int[Count + 1])),
        ["an image beyond the last"] = ("order", setup => setup.Feed.SetOrder([0, 1, 2, 3, Count])),
        ["an image before the first"] = ("order", setup => setup.Feed.SetOrder([0, -1, 2, 3, 4])),
        ["the least number as an image"] = ("order", setup => setup.Feed.SetOrder([0, 1, 2, 3, int.MinValue])),
        ["too few learning rates"] = ("rates.Length", setup => setup.Feed.SetLearningRates(new float[Steps - 1])),
        ["too many learning rates"] = ("rates.Length", setup => setup.Feed.SetLearningRates(new float[Steps + 1])),
        ["less than no steps before"] = ("stepsBefore", setup => setup.Feed.SetLearningRates(new float[Steps], -1)),
        ["a step before the first"] = ("firstStep", setup => setup.Run(firstStep: -1)),
        ["less than no steps"] = ("steps", setup => setup.Run(steps: -1)),
        ["a step beyond the last"] = ("steps", setup => setup.Run(firstStep: Steps)),
        ["more steps than there are"] = ("steps", setup => setup.Run(steps: Steps + 1)),
        ["steps whose end is no number"] = ("steps", setup => setup.Run(firstStep: int.MaxValue, steps: int.MaxValue)),
        ["losses before the first step"] = ("firstStep", setup => setup.Feed.ReadLosses(-1, 1)),
        ["losses of no step"] = ("steps", setup => setup.Feed.ReadLosses(0, 0)),
        ["losses beyond the last step"] = ("steps", setup => setup.Feed.ReadLosses(1, Steps)),
        ["losses of steps whose end is no number"] = ("steps", setup => setup.Feed.ReadLosses(int.MaxValue, int.MaxValue)),
        ["larger images than are read"] = ("imageSize", setup => setup.Run(imageSize: ImageSize + 1)),
        ["smaller images than are read"] = ("imageSize", setup => setup.Run(imageSize: ImageSize - 1)),
        ["too short an arena"] = ("arenaLength", setup => setup.Run(arenaLength: _map.Offset + Batch * _map.Size - 1)),
        ["an empty arena"] = ("arenaLength", setup => setup.Run(arenaLength: 0)),
        ["an arena of less than nothing"] = ("length", setup => setup.Executor.CreateArena(-1)),
        ["values beyond the arena"] = ("offset", setup => setup.Arena.Write(ArenaLength - 1, new float[2])),
        ["values before the arena"] = ("offset", setup => setup.Arena.Write(-1, new float[2])),
        ["a look beyond the arena"] = ("offset", setup => setup.Arena.Read(ArenaLength, new float[1])),
        ["a look before the arena"] = ("offset", setup => setup.Arena.Read(-16, new float[1])),
        ["mini-batches of no image"] = ("batchSize", setup => setup.Executor.CreateFeed(new byte[ImageSize], ImageSize, 0)),
        ["images of no byte"] = ("imageSize", setup => setup.Executor.CreateFeed(new byte[ImageSize], 0, Batch)),
        ["no image"] = ("images", setup => setup.Executor.CreateFeed(Array.Empty<byte>(), ImageSize, Batch)),
        ["a part of an image"] = ("images", setup => setup.Executor.CreateFeed(new byte[ImageSize + 1], ImageSize, Batch)),
        ["a feed of larger mini-batches than the model's"] = ("feed.BatchSize", setup => Train(setup, Batch - 1)),
        ["a feed of smaller mini-batches than the model's"] = ("feed.BatchSize", setup => Train(setup, Batch + 1)),
        ["a model of mini-batches of no image"] = ("options.BatchSize", setup => Train(setup, 0)),
    };

    public static IEnumerable<TheoryDataRow<string, string>> Misuses =>
        Rows.Of(ExecutorsUnderTest.NamesForModels.Append(ExecutorsUnderTest.Simulator), _misuses.Keys);

    /// <summary>Each with what the exception says.</summary>
    private static readonly Dictionary<string, (Shape Input, Layer[] Layers, string Message)> _networks = new()
    {
        ["a convolution without outputs"] = (new(2, 3, 1), [new ConvLayer(null, 0, default)], "layer 1: A convolution has 0 outputs"),
        ["a convolution of less than no outputs"] = (new(2, 3, 1), [new ConvLayer(null, -3, default)], "layer 1: A convolution has -3 outputs"),
        ["a dense layer without outputs"] = (new(2, 3, 1), [new DenseLayer(null, 0, default)], "layer 1: A dense layer has 0 outputs"),
        ["a dense layer of less than no outputs"] = (
            new(2, 3, 1), [new DenseLayer(null, 6, default), new DenseLayer(null, -1, default)], "layer 2: A dense layer has -1 outputs"),
        ["a dense layer of a map of channels"] = (
            new(2, 3, 1), [new ConvLayer(null, 2, default), new DenseLayer(null, 6, default)], "layer 2: A dense layer of 6 takes flat values, not 2×3×2"),
        ["pooling of a pixel"] = (
            new(2, 3, 1), [new MaxPoolLayer(), new MaxPoolLayer()], "layer 2: Pooling takes maps of at least 2×2 pixels, not 1"),
        ["pooling of a row"] = (new(1, 3, 1), [new MaxPoolLayer()], "layer 1: Pooling takes maps of at least 2×2 pixels, not 1×3×1"),
        ["an end of other sides"] = (new(2, 3, 1), [new UpsampleLayer(default)], "ends in 4×6×1, where an image of 2×3×1 is wanted"),
        ["an end of other channels"] = (new(2, 3, 1), [new ConvLayer(null, 2, default)], "ends in 2×3×2, where an image of 2×3×1 is wanted"),
        ["an end of as many values in another shape"] = (
            new(2, 4, 1), [new MaxPoolLayer(), new ConvLayer(null, 4, default)], "ends in 1×2×4, where an image of 2×4×1 is wanted"),
        ["upsampling beyond all numbers"] = (
            new(1, 1, 1), [.. Enumerable.Repeat(new UpsampleLayer(default), 40)], "layer 16"),
        ["no layer"] = (new(2, 3, 1), [], "no layers"),
        ["images without rows"] = (new(0, 3, 1), [new ConvLayer(null, 1, default)], "0×3×1"),
        ["images of less than no channels"] = (new(2, 3, -1), [new ConvLayer(null, 1, default)], "2×3×-1"),
        ["images of channels that the normalisation has not"] = (new(2, 3, 2), [new ConvLayer(null, 2, default)], "1 means"),
        ["two layers of one name"] = (
            new(2, 3, 1), [new ConvLayer("a", 1, default), new ConvLayer("a", 1, default)], "two layers named a"),
    };

    public static IEnumerable<TheoryDataRow<string, string>> Networks => Rows.Of([ExecutorsUnderTest.Main], _networks.Keys);

    public static IEnumerable<TheoryDataRow<string>> Instructions => Programs().Keys.Select(name => new TheoryDataRow<string>(name));

    public static TheoryData<int, int> Threads => new() { { 1, 0 }, { 2, 0 }, { 2, 1 }, { 5, 0 }, { 5, 2 }, { 5, 4 } };

    [Theory]
    [MemberData(nameof(Misuses))]
    public void Is_an_error_that_names_the_argument_and_the_executor_works_afterwards(string executor, string misuse)
    {
        using var setup = new Setup(ExecutorsUnderTest.Open(executor));
        setup.AssertWorks();
        var (argument, act) = _misuses[misuse];
        var e = Assert.ThrowsAny<ArgumentException>(() => act(setup));
        Assert.Equal(argument, e.ParamName);
        setup.AssertUntouched();
        setup.AssertWorks();
    }

    [Fact]
    public void An_order_that_streamed_images_cannot_be_visited_in_is_an_error()
    {
        using var executor = ExecutorsUnderTest.OpenAnother(ExecutorsUnderTest.Main);
        executor.MemoryLimit = 8 * 1024;
        using var feed = executor.CreateFeed(new byte[64 * 1024], 256, Batch);
        Assert.True(feed.IsStreamed);
        var order = Enumerable.Range(0, feed.Count).ToArray();
        Assert.Throws<ArgumentOutOfRangeException>("order.Length", () => feed.SetOrder(order.AsSpan(1)));
        foreach (var wrong in (int[])[-1, feed.Count])
        {
            order[7] = wrong;
            Assert.Throws<ArgumentOutOfRangeException>("order", () => feed.SetOrder(order));
        }
    }

    /// <summary>Every operand of every instruction of the programs, moved out of the arena or given the border that it must not have.</summary>
    [Theory]
    [MemberData(nameof(Instructions))]
    public void An_operand_outside_the_arena_or_with_a_wrong_border_is_an_error_that_names_the_instruction(string what)
    {
        const int arenaLength = 1 << 20;
        var instruction = Programs()[what];
        new InstructionList(instruction).Check(arenaLength, Batch);
        foreach (var damage in Enum.GetValues<Damage>())
        {
            var damaging = new Damaging(damage);
            for (var operand = 0; damaging.Begin(operand); operand++)
            {
                var damaged = instruction.Visited(damaging);
                if (!damaging.IsDone)
                    continue;
                var e = Assert.Throws<ArgumentException>(() => new InstructionList(damaged).Check(arenaLength, Batch));
                if (damage == Damage.Beyond)
                    Assert.Equal("arenaLength", e.ParamName);
                else
                    Assert.Contains(instruction.Name, e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void A_map_whose_size_is_no_number_is_an_error()
    {
        // 46,341² · 2 floats are 2³² and a few.
        var program = new InstructionList(Upsample2x.Of(new(0, 1, 1, 2, 0), new(64, 2, 2, 2, 0), default), Huge());
        Assert.Throws<ArgumentException>("arenaLength", () => program.Check(1 << 20, 1));

        static Instruction Huge()
        {
            var map = new FeatureMap(0, 46_341, 46_341, 2, 0);
            return MeanSquaredError.Of(map, map, default, default);
        }
    }

    [Fact]
    public void A_bias_before_the_arena_is_an_error_and_not_no_bias() =>
        Assert.Throws<ArgumentOutOfRangeException>("bias", () =>
            Conv3x3.Forward(new(0, 2, 2, 1, 1), 0, -1, new(64, 2, 2, 1, 0), default));

    [Fact]
    public void Vectors_that_there_are_not_are_an_error() =>
        Assert.Throws<ArgumentOutOfRangeException>("simd", () => CpuExecutor.Create(1, (SimdWidth)64));

    [Theory]
    [MemberData(nameof(Networks))]
    public void A_network_whose_layers_do_not_fit_is_an_error_that_says_what_would(string executor, string what)
    {
        var (input, layers, message) = _networks[what];
        using var setup = new Setup(ExecutorsUnderTest.Open(executor));
        setup.AssertWorks();
        var e = Assert.Throws<ArgumentException>(() => new Model(setup.Executor, new("n", "N", "N", input, layers, 0), Batch));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        setup.AssertUntouched();
        setup.AssertWorks();
    }

    [Theory]
    [MemberData(nameof(Threads))]
    public void An_exception_of_a_worker_is_that_of_the_run_and_the_executor_works_afterwards(int threads, int thrower)
    {
        using var executor = CpuExecutor.Create(threads, SimdWidth.Bits256);
        using var setup = new Setup(executor);
        foreach (var waits in (bool[])[false, true])
        {
            for (var step = 0; step < Steps; step++)
            {
                var failing = Failing.Of(thrower, step, waits);
                var program = new InstructionList(setup.Gather, failing, setup.Gather);
                var e = Assert.Throws<TimeoutException>(() => executor.Run(program, setup.Arena, setup.Feed, 0, Steps));
                Assert.Equal($"worker {thrower} of {threads} in step {step}", e.Message);
                setup.AssertWorks();
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Exceptions_of_all_workers_are_one_of_the_run(int threads)
    {
        using var executor = CpuExecutor.Create(threads, SimdWidth.Bits256);
        using var setup = new Setup(executor);
        var program = new InstructionList(Failing.Of(Failing.All, 1, waits: false));
        for (var time = 0; time < 20; time++)
        {
            var e = Assert.Throws<TimeoutException>(() => executor.Run(program, setup.Arena, setup.Feed, 0, Steps));
            Assert.EndsWith($"of {threads} in step 1", e.Message, StringComparison.Ordinal);
            setup.AssertWorks();
        }
    }

    private static void Train(Setup setup, int batch)
    {
        using var model = new Model(
            setup.Executor, new("n", "N", "N", new(2, 3, 1), [new DenseLayer(null, ImageSize, Activation.None)], 1), batch);
        model.Train(setup.Feed, 0, 1);
    }

    /// <summary>An instruction of every operation that networks are compiled to, and of each number of its operands.</summary>
    private static Dictionary<string, Instruction> Programs()
    {
        Layer[] layers =
        [
            new ConvLayer(null, 3, Activation.Relu), new MaxPoolLayer(), new ConvLayer(null, 2, Activation.Relu), new MaxPoolLayer(),
            new UpsampleLayer(default), new ConvLayer(null, 2, Activation.Relu), new UpsampleLayer(default),
            new ConvLayer(null, 1, Activation.Relu), new DenseLayer(null, 5, Activation.Relu), new DenseLayer(null, 64, Activation.Sigmoid),
        ];
        Network convolutions = new("a", "A", "A", new(8, 8, 1), layers[..8], 1), dense = new("b", "B", "B", new(8, 8, 1), layers[8..], 1);
        var options = new CompilerOptions(Batch);
        return new[] { convolutions, dense }
            .SelectMany(network => new[] { options, options with { Fuses = false }, options with { MaximalGradientNorm = 1 } }
                .Select(chosen => Compiler.Compile(network, chosen).Training))
            .SelectMany(program => program.Instructions)
            .DistinctBy(Named)
            .ToDictionary(Named);

        static string Named(Instruction instruction)
        {
            var operands = new Damaging(default);
            instruction.Visited(operands);
            return $"{instruction.Name} of {operands.Count} operands";
        }
    }

    /// <summary>An arena, a feed, and a program that puts pixels into a map.</summary>
    private sealed class Setup : IDisposable
    {
        private readonly byte[] _images = new Values(1).Bytes(Count * ImageSize);
        private readonly float[] _before = new Values(2).Next(ArenaLength);

        public Setup(Executor executor)
        {
            Executor = executor;
            Arena = executor.CreateArena(ArenaLength);
            Feed = executor.CreateFeed(_images, ImageSize, Batch);
        }

        public Executor Executor { get; }

        public Arena Arena { get; }

        public Feed Feed { get; }

        public Instruction Gather { get; } = AutoencoderGpu.Kernels.Operations.Gather.Of(_map, 0, 16);

        public void Run(int firstStep = 0, int steps = 1, int imageSize = ImageSize, int arenaLength = ArenaLength)
        {
            using var arena = arenaLength == ArenaLength ? null : Executor.CreateArena(arenaLength);
            using var feed = imageSize == ImageSize ? null : Executor.CreateFeed(new byte[Count * imageSize], imageSize, Batch);
            Executor.Run(new InstructionList(Gather), arena ?? Arena, feed ?? Feed, firstStep, steps);
        }

        /// <summary>The last image, of the last mini-batch, without a scale and with a shift; the rest of the arena stays.</summary>
        public void AssertWorks()
        {
            Arena.Write(0, _before);
            Arena.Write(0, [1f]);
            Arena.Write(16, [-3f]);
            Feed.SetOrder([4, 3, 2, 1, 0]);
            Run(firstStep: Steps - 1);
            var values = new float[ArenaLength];
            Arena.Read(0, values);
            Assert.Equal(_images[..ImageSize].Select(pixel => pixel - 3f), values[_map.Offset..(_map.Offset + ImageSize)]);
            Assert.Equal(_before[(_map.Offset + ImageSize)..], values[(_map.Offset + ImageSize)..]);
        }

        /// <summary>Nothing has run since.</summary>
        public void AssertUntouched()
        {
            var values = new float[ArenaLength - _map.Offset];
            Arena.Read(_map.Offset, values);
            Assert.Equal(_images[..ImageSize].Select(pixel => pixel - 3f), values[..ImageSize]);
            Assert.Equal(_before[(_map.Offset + ImageSize)..], values[ImageSize..]);
        }

        public void Dispose()
        {
            Feed.Dispose();
            Arena.Dispose();
        }
    }

    private enum Damage
    {
        Before,
        Beyond,
        Border,
    }

    /// <summary>Damages one of an instruction's operands.</summary>
    private sealed class Damaging(Damage damage) : OperandVisitor
    {
        private int _chosen = -1;

        public bool IsDone { get; private set; }

        /// <summary>Operands that were visited.</summary>
        public int Count { get; private set; }

        /// <summary>Chooses an operand; false where the instruction that was visited last has no more.</summary>
        public bool Begin(int operand)
        {
            var isThere = operand == 0 || operand < Count;
            (_chosen, Count, IsDone) = (operand, 0, false);
            return isThere;
        }

        protected override void Map(ref FeatureMap map, Access access, Border border, int copies, int distance)
        {
            if (Count++ != _chosen || (damage == Damage.Border && border == Border.Any))
                return;
            map = damage == Damage.Border ? map with { Border = 1 - map.Border } : map with { Offset = Moved(map.Offset) };
            IsDone = true;
        }

        protected override void Slice(ref int offset, int length, Access access)
        {
            if (Count++ != _chosen || damage == Damage.Border)
                return;
            offset = Moved(offset);
            IsDone = true;
        }

        private int Moved(int offset) => offset + (damage == Damage.Before ? -1 << 21 : 1 << 20);
    }

    /// <summary>Fails on one worker or on all.</summary>
    private struct Failing : IOperation<Failing>
    {
        public const int All = -1;

        private int _thrower;
        private int _step;
        private bool _waits;

        /// <param name="waits">Whether the others wait within the instruction, and not only behind it.</param>
        public static Instruction<Failing> Of(int thrower, int step, bool waits) =>
            new Instruction<Failing>(new() { _thrower = thrower, _step = step, _waits = waits });

        static IReadOnlyList<IKernel<Failing>> IOperation<Failing>.Kernels => [];

        static void IOperation<Failing>.Visit(ref Failing i, OperandVisitor operands)
        {
        }

        static Cost IOperation<Failing>.Cost(in Failing i, int batch) => default;

        static void IOperation<Failing>.Run<V>(in Failing i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        {
            var index = worker.Range(worker.Count).Start;
            if (batch.Step == i._step && (i._thrower == All || index == i._thrower))
                throw new TimeoutException($"worker {index} of {worker.Count} in step {batch.Step}");
            if (i._waits)
                worker.WaitForAll();
        }
    }
}
