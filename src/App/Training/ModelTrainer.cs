using System.Diagnostics;
using AutoencoderGpu.App.Data;
using AutoencoderGpu.App.Reports;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Training;

/// <summary>How far a model's training is, reported several times a second.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="Steps">Steps done of the whole training.</param>
/// <param name="TotalSteps">Steps of the whole training.</param>
/// <param name="Loss">Mean mini-batch loss of the epoch so far.</param>
/// <param name="StepsPerSecond">In the last moments.</param>
public readonly record struct TrainingProgress(int Epoch, long Steps, long TotalSteps, double Loss, double StepsPerSecond);

/// <summary>Trains one model, epoch by epoch, in chunks of steps between which it reports, listens for cancellation and saves.</summary>
public sealed class ModelTrainer : IDisposable
{
    /// <summary>At lower rates a step may change no weight of single precision, at higher ones only a collapsed model stays the same.</summary>
    private const float SmallestUsefulRate = 1e-5f;

    /// <summary>A chunk takes about so long: short for a lively display, long beside the cost of reading losses.</summary>
    private const double ChunkSeconds = 0.1;

    private readonly Executor _executor;
    private readonly TrainingOptions _options;
    private readonly RunFolder _folder;
    private readonly DataSet _data;
    private readonly Protocol _protocol;
    private readonly Feed _train;
    private readonly Feed _test;
    private readonly CollapseDetector _collapse;
    private readonly CheckpointFile _checkpoint;
    private readonly Stopwatch _sinceCheckpoint = new();
    private OutputSpread _untrained;

    // A single step at first, for nobody knows how long one takes.
    private int _chunk = 1;

    /// <summary>Compiles the model and puts the data on the device.</summary>
    public ModelTrainer(Executor executor, Network network, TrainingOptions options, DataSet data, RunFolder folder)
    {
        _executor = executor;
        _options = options;
        _folder = folder;
        _data = data;
        _protocol = Protocol.Of(options, network);
        var batchSize = Math.Min(options.BatchSize, Math.Max(data.Train.Count, data.Test.Count));
        Model = new(executor, network, batchSize, _protocol.MaximalGradientNorm, options.OptimiserOf());
        try
        {
            _train = executor.CreateFeed(data.Train.Pixels, network.Input.Size, batchSize);
            _test = executor.CreateFeed(data.Test.Pixels, network.Input.Size, batchSize);
        }
        catch
        {
            _train?.Dispose();
            Model.Dispose();
            throw;
        }

        _collapse = new(data.Train.Pixels, network);
        _checkpoint = new(folder, network.Name, RunRecord.IdentityOf(options, data), _train.Steps);
    }

    /// <summary>The model.</summary>
    public Model Model { get; }

    /// <summary>Whether the training images do not fit on the device.</summary>
    public bool IsStreamed => _train.IsStreamed;

    /// <summary>What the checkpoint says, once training has begun.</summary>
    public Checkpoint State { get; private set; } = Checkpoint.Beginning;

    /// <summary>Epochs that are complete.</summary>
    public IReadOnlyList<EpochRecord> History => State.History;

    /// <summary>The epoch with the lowest test loss so far.</summary>
    public EpochRecord? Best => History.MinBy(epoch => epoch.TestLoss);

    /// <summary>Sets initial values, or goes on from the folder's checkpoint; then the weights' files are what that says, whenever an earlier sitting ended.</summary>
    /// <param name="resume">Whether to go on.</param>
    /// <param name="warn">Told of a damaged checkpoint in whose place the one before is taken.</param>
    /// <exception cref="UserError">The checkpoint is damaged, or of more epochs than are asked for.</exception>
    public void Begin(bool resume, Action<string> warn)
    {
        Model.Initialise(_options.Seed);
        _untrained = OutputSpread.Of(Model, _test);
        if (!resume)
            return;
        State = _checkpoint.Load(Model, warn);
        if (History.Count > _options.Epochs || History.Count == _options.Epochs && State.Step > 0)
        {
            throw new UserError(
                ExitCode.Usage, $"{_checkpoint.Path} is {History.Count} epochs and {State.Step} steps on, beyond the {_options.Epochs} of --epochs");
        }

        if (State == Checkpoint.Beginning && File.Exists(_folder.LastWeights(Model.Network.Name)))
        {
            throw new UserError(
                ExitCode.Data, $"{_checkpoint.Path} is missing, so this model cannot go on; delete {_folder.LastWeights(Model.Network.Name)} to train it from the beginning");
        }

        // The checkpoint is written first; an earlier sitting may have ended before the others.
        if (State.Step == 0 && History.Count > 0)
            SaveWeights(Weights.Of(Model));
    }

    /// <summary>Trains the epochs that are left.</summary>
    /// <param name="progress">Told several times a second.</param>
    /// <param name="epochDone">Told after each epoch, when its files are written.</param>
    /// <param name="cancellation">Ends training after the chunk at hand, when the state is saved.</param>
    /// <exception cref="UserError">The model collapsed, or a loss is not finite.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; a checkpoint is written.</exception>
    public void Run(Action<TrainingProgress> progress, Action<EpochRecord> epochDone, CancellationToken cancellation)
    {
        _sinceCheckpoint.Start();
        while (History.Count < _options.Epochs)
        {
            var state = RunEpoch(State, progress, cancellation);
            var weights = Weights.Of(Model);
            Save(state, weights);
            SaveWeights(weights);
            epochDone(History[^1]);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Model.Dispose();
        _train.Dispose();
        _test.Dispose();
    }

    private Checkpoint RunEpoch(Checkpoint state, Action<TrainingProgress> progress, CancellationToken cancellation)
    {
        var epoch = state.History.Count + 1;
        var order = RandomNumbers.OrderOf(_options.Seed, epoch, _train.Count);
        var rates = _protocol.LearningRates(_options.LearningRate, epoch, _options.Epochs, _train.Steps);
        _train.SetOrder(order);
        _train.SetLearningRates(rates, (int)Math.Min(int.MaxValue / 2, (epoch - 1L) * _train.Steps));
        var watch = Stopwatch.StartNew();
        var training = new Stopwatch();
        var lossSum = state.LossSum;
        var step = state.Step;
        var recent = new Queue<double>(state.RecentLosses);
        try
        {
            while (step < _train.Steps)
            {
                cancellation.ThrowIfCancellationRequested();
                var steps = Math.Min(_chunk, _train.Steps - step);
                var chunkStart = watch.Elapsed;
                training.Start();
                Model.Train(_train, step, steps);
                var losses = Losses.OfMiniBatches(_train, step, steps);
                training.Stop();
                // One by one: a chunk's length depends on the machine's mood, and the sum's last bits must not.
                for (var i = 0; i < steps; i++)
                {
                    Check(epoch, step + i, order, losses[i]);
                    lossSum += losses[i];
                    recent.Enqueue(losses[i]);
                    if (recent.Count > Checkpoint.RecentSteps)
                        recent.Dequeue();
                }

                step += steps;
                var rate = steps / (watch.Elapsed - chunkStart).TotalSeconds;
                _chunk = (int)Math.Clamp(rate * ChunkSeconds, 1, 4096);
                // Steps beyond the last whole launch would start kernel by kernel.
                if (_chunk > _executor.StepsPerLaunch)
                    _chunk -= _chunk % _executor.StepsPerLaunch;
                var before = (epoch - 1L) * _train.Steps;
                progress(new(epoch, before + step, (long)_options.Epochs * _train.Steps, lossSum / step, rate));
                if (step < _train.Steps && _sinceCheckpoint.Elapsed.TotalSeconds >= _options.CheckpointEvery)
                    Save(Reached(), Weights.Of(Model));
            }

            var testLoss = Losses.Evaluate(Model, _test, Model.BatchSize, cancellation);
            if (!double.IsFinite(testLoss))
                throw NotFinite($"after epoch {epoch}: the test loss", testLoss);
            var spread = OutputSpread.Of(Model, _test);
            if (spread.IsDead(_untrained))
            {
                throw new UserError(
                    ExitCode.Collapsed,
                    $"{Model.Network.Title} has died by the end of epoch {epoch}: it makes the same of every image (test loss {testLoss:0.00000}, {spread.Stuck:0 %} of outputs saturated), units that answer to nothing let no gradient past; {Remedy}, or try another --seed");
            }

            if (History.Count > 0 && testLoss == History[^1].TestLoss)
            {
                throw new UserError(
                    ExitCode.Collapsed,
                    $"{Model.Network.Title} has not changed in epoch {epoch}: the test loss is {testLoss:0.00000} to the last bit; {(rates[^1] < SmallestUsefulRate ? $"raise --learning-rate, for steps at {RateText.Of(_options.LearningRate)} are lost in rounding" : Remedy)}");
            }

            var record = new EpochRecord(
                Model.Network.Name, epoch, lossSum / _train.Steps, testLoss, rates[^1], state.Seconds + watch.Elapsed.TotalSeconds)
            {
                EndedAt = DateTimeOffset.UtcNow,
            };
            return new([.. History, record], 0, 0, 0, state.TrainingSeconds + training.Elapsed.TotalSeconds, [.. recent]);
        }
        catch (OperationCanceledException)
        {
            Save(Reached(), Weights.Of(Model));
            throw;
        }

        Checkpoint Reached() => new(
            History, step, lossSum, state.Seconds + watch.Elapsed.TotalSeconds, state.TrainingSeconds + training.Elapsed.TotalSeconds, [.. recent]);
    }

    private void Save(Checkpoint state, IReadOnlyList<(string Name, Tensor Tensor)> weights)
    {
        _checkpoint.Save(state, Model, weights);
        State = state;
        // It takes 3 ms. Left to itself, the collector lets the arrays of dozens of checkpoints pile up.
        GC.Collect();
        _sinceCheckpoint.Restart();
    }

    private void Check(int epoch, int step, int[] order, double loss)
    {
        var where = $"at step {step + 1} of epoch {epoch}";
        if (!double.IsFinite(loss))
            throw NotFinite($"{where}: the loss", loss);
        var batch = _train[step];
        if (_collapse.HasCollapsed(order.AsSpan(batch.First, batch.Count), loss))
        {
            throw new UserError(
                ExitCode.Collapsed,
                $"{Model.Network.Title} {where} has collapsed: every output is saturated at 0, the loss stays at that of a blank image ({loss:0.000}) and no gradient is left; {Remedy}");
        }
    }

    private UserError NotFinite(string what, double loss) => new(
        ExitCode.Collapsed, $"{Model.Network.Title} {what} is {loss}; {Remedy}");

    private string Remedy => (_options.Protocol == ProtocolChoice.Reference ? "train with --protocol stable, or " : "")
        + $"lower --learning-rate (now {RateText.Of(_options.LearningRate)})";

    /// <summary>The weights after the last epoch, and if it is the best so far, as those of the best.</summary>
    private void SaveWeights(IReadOnlyList<(string Name, Tensor Tensor)> weights)
    {
        var metadata = new Dictionary<string, string>(NetworkFile.Of(Model.Network))
        {
            ["format"] = "pt",
            ["dataset"] = _data.Name,
        };
        Save(_folder.LastWeights(Model.Network.Name));
        if (Best == History[^1])
            Save(_folder.BestWeights(Model.Network.Name));

        void Save(string path) => AtomicFile.Write(path, stream => Safetensors.Save(stream, weights, metadata));
    }
}
