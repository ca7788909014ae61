using AutoencoderGpu.App.Commands;
using AutoencoderGpu.App.Training;
using AutoencoderGpu.Kernels.Cpu;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.Benchmarks.Sides;

/// <summary>This program, as its commands <c>train</c> and <c>eval</c> compute.</summary>
internal sealed class OwnSide : Side
{
    /// <summary>
    /// Where the default protocol clips gradients this side takes their norm, too, but never reaches the bound: all the work of a
    /// step, and the values of plain SGD.
    /// </summary>
    private const float UnreachableNorm = 1e9f;

    /// <summary>Chunks of a block; training reads losses about ten times a second.</summary>
    private const int Chunks = 10;

    /// <summary>Images over which `eval` averages a mini-batch's loss when nothing is said.</summary>
    private const int MiniBatch = 10;

    private readonly CpuExecutor _executor;
    private readonly Model _model;
    private readonly Feed _feed;
    private readonly bool _isTraining;
    private int _step;

    public OwnSide(SideInput input)
    {
        var (work, network) = (input.Case, input.Case.Network);
        var clips = Protocol.Of(new TrainingOptions { Optimizer = work.Optimiser.Name }, network).MaximalGradientNorm > 0;
        _isTraining = work.IsTraining;
        _executor = CpuExecutor.Create(input.Threads, CpuExecutor.DefaultSimd);
        var batchSize = _isTraining ? work.BatchSize : EvalCommand.ImagesAtOnce(network);
        _model = new(_executor, network, batchSize, clips ? UnreachableNorm : 0, work.Optimiser);
        Weights.CopyTo(_model, input.Weights.Tensors);
        _feed = _executor.CreateFeed(
            (_isTraining ? input.Data.Train : input.Data.Test).Pixels, network.Input.Size, _model.BatchSize);
        if (_isTraining)
        {
            _feed.SetOrder(input.Order());
            _feed.SetLearningRates([.. Enumerable.Repeat(work.LearningRate, _feed.Steps)]);
        }
    }

    public override string Description => $"{_executor.Description}, mini-batches of {_model.BatchSize}";

    public override IReadOnlyList<double> Work(int units) => _isTraining ? Train(units) : Evaluate(units);

    public override void Dispose()
    {
        _feed.Dispose();
        _model.Dispose();
        _executor.Dispose();
    }

    private List<double> Train(int units)
    {
        var losses = new List<double>();
        while (losses.Count < units)
        {
            // A last mini-batch of fewer images would be cheaper.
            if ((_step + 1) * _feed.BatchSize > _feed.Count)
                _step = 0;
            var whole = _feed.Count / _feed.BatchSize - _step;
            var steps = Math.Min(Math.Min((units + Chunks - 1) / Chunks, units - losses.Count), whole);
            _model.Train(_feed, _step, steps);
            losses.AddRange(Losses.OfMiniBatches(_feed, _step, steps));
            _step += steps;
        }

        return losses;
    }

    private double[] Evaluate(int units) =>
        [.. Enumerable.Range(0, units).Select(_ => Losses.Evaluate(_model, _feed, MiniBatch, CancellationToken.None))];
}
