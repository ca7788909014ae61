using System.Diagnostics;
using AutoencoderGpu.App.Data;
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Models;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using Tensor = TorchSharp.torch.Tensor;

namespace AutoencoderGpu.Benchmarks.Sides;

/// <summary>
/// The same networks in libtorch, by the shortest way there is to them: images as normalised floats in memory, a mini-batch
/// gathered by index, functions instead of modules, SGD as one addition a tensor, Adam as one operation for all of them, gradients handed
/// over instead of summed.
/// </summary>
internal sealed class TorchSide : Side
{
    private const long TrialImages = 1000;
    private const int LeastAttempts = 3;

    /// <summary>Adam with its usual numbers, which TorchSharp has as many operations a tensor, and libtorch as a single one for TorchScript.</summary>
    private const string AdamScript = """
        def step(w: List[Tensor], g: List[Tensor], m: List[Tensor], v: List[Tensor], t: List[Tensor], rate: float):
            torch._fused_adam_(w, g, m, v, [], t, lr=rate, beta1=0.9, beta2=0.999, weight_decay=0.0, eps=1e-8, amsgrad=False, maximize=False)
            return None

        """;

    private static readonly TimeSpan _trialTime = TimeSpan.FromSeconds(0.5);

    private static readonly int[] _evaluationBatchSizes = [10, 100, 1000];

    private static readonly bool[] _bothLayouts = [false, true];

    private readonly Network _network;
    private readonly Safetensors _weights;
    private readonly Tensor _images;
    private readonly Tensor _order;
    private readonly Func<Tensor, Tensor, Tensor> _loss;
    private readonly jit.CompilationUnit? _adam;
    private readonly float _learningRate;
    private readonly bool _isTraining;
    private readonly Arrangement _arrangement;
    private Tensor[] _parameters = [];
    private Tensor[] _firstMoments = [];
    private Tensor[] _secondMoments = [];
    private Tensor[] _steps = [];
    private int _step;

    public TorchSide(SideInput input)
    {
        set_num_threads(input.Threads);
        _isTraining = input.Case.IsTraining;
        _learningRate = input.Case.LearningRate;
        _network = input.Case.Network;
        _weights = input.Weights;
        _loss = _network.Loss.Name == "bce" ? (output, target) => F.binary_cross_entropy(output, target) : (output, target) => F.mse_loss(output, target);
        _adam = input.Case.Optimiser.Name == "adam" ? jit.compile(AdamScript) : null;
        var hasMaps = _network.Layers.Any(layer => layer is ConvLayer);
        _images = Images(_isTraining ? input.Data.Train : input.Data.Test, _network.Normalisation, hasMaps);
        _order = tensor(input.Order().Select(index => (long)index).ToArray());
        Arrangement[] arrangements =
        [
            .. from batchSize in _isTraining ? [input.Case.BatchSize] : _evaluationBatchSizes
               from isChannelsLast in hasMaps ? _bothLayouts : [false]
               select new Arrangement(batchSize, isChannelsLast),
        ];
        _arrangement = arrangements.Length == 1 ? arrangements[0] : arrangements.MinBy(Try)!;
        Begin(_arrangement);
    }

    public override string Description =>
        $"libtorch {__version__}, {get_num_threads()} threads, mini-batches of {_arrangement.BatchSize}{(_arrangement.IsChannelsLast ? ", channels last" : "")}";

    public override IReadOnlyList<double> Work(int units) =>
        [.. Enumerable.Range(0, units).Select(_ => _isTraining ? Train(_arrangement.BatchSize) : Evaluate(_arrangement.BatchSize, _images.shape[0]))];

    public override void Dispose()
    {
        Forget();
        _adam?.Dispose();
        _images.Dispose();
        _order.Dispose();
    }

    private static Tensor Images(ImageSet images, Normalisation normalisation, bool areMaps)
    {
        var values = Array.ConvertAll(images.Pixels, pixel => (float)normalisation.Of(pixel));
        return tensor(values, areMaps ? [images.Count, 1, images.Height, images.Width] : [images.Count, images.Height * images.Width]);
    }

    private double Train(int batchSize)
    {
        using var scope = NewDisposeScope();
        if ((_step + 1) * batchSize > _order.shape[0])
            _step = 0;
        using var images = _images.index_select(0, _order.narrow(0, (long)_step++ * batchSize, batchSize));
        using var loss = _loss(Forward(images), images);
        loss.backward();
        Update();
        return loss.item<float>();
    }

    private void Update()
    {
        using var gradientless = no_grad();
        if (_adam is null)
        {
            foreach (var parameter in _parameters)
                parameter.add_(parameter.grad!, alpha: -_learningRate);
        }
        else
        {
            _steps[0].add_(1);
            var gradients = Array.ConvertAll(_parameters, parameter => parameter.grad!);
            _adam.invoke("step", _parameters, gradients, _firstMoments, _secondMoments, _steps, (double)_learningRate);
        }

        foreach (var parameter in _parameters)
            parameter.grad = null;
    }

    private double Evaluate(int batchSize, long count)
    {
        using var mode = inference_mode();
        var sum = 0.0;
        for (var first = 0L; first < count; first += batchSize)
        {
            using var scope = NewDisposeScope();
            var images = _images.narrow(0, first, Math.Min(batchSize, count - first));
            sum += _loss(Forward(images), images).item<float>() * images.shape[0];
        }

        return sum / count;
    }

    /// <summary>The initial values, in the order of the layers.</summary>
    private void Begin(Arrangement arrangement)
    {
        Forget();
        _step = 0;
        _parameters =
        [
            .. _network.LayerNames().OfType<string>()
                .SelectMany(layer => new[] { layer + ".weight", layer + ".bias" })
                .Select(name => Parameter(_weights.Tensors[name], arrangement.IsChannelsLast)),
        ];
        if (_adam is null)
            return;
        _firstMoments = Array.ConvertAll(_parameters, parameter => zeros_like(parameter, requires_grad: false));
        _secondMoments = Array.ConvertAll(_parameters, parameter => zeros_like(parameter, requires_grad: false));
        _steps = [.. Enumerable.Repeat(tensor(0f), _parameters.Length)];
    }

    private Tensor Parameter(Models.Tensor values, bool isChannelsLast)
    {
        using var scope = NewDisposeScope();
        var parameter = tensor(values.Values, [.. values.Shape.Select(size => (long)size)]);
        // libtorch reads the layout off the strides; its convolutions keep that of their weights.
        if (isChannelsLast && parameter.dim() == 4)
            parameter = parameter.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);
        return parameter.detach().requires_grad_(_isTraining).MoveToOuterDisposeScope();
    }

    private void Forget()
    {
        foreach (var parameter in _parameters.Concat(_firstMoments).Concat(_secondMoments).Concat(_steps.Take(1)))
            parameter.Dispose();
    }

    /// <summary>The shortest of some attempts.</summary>
    private TimeSpan Try(Arrangement arrangement)
    {
        Begin(arrangement);
        var (all, best) = (Stopwatch.StartNew(), TimeSpan.MaxValue);
        for (var attempt = 0; attempt < LeastAttempts || all.Elapsed < _trialTime; attempt++)
        {
            var watch = Stopwatch.StartNew();
            if (_isTraining)
                Train(arrangement.BatchSize);
            else
                Evaluate(arrangement.BatchSize, Math.Min(TrialImages, _images.shape[0]));
            if (watch.Elapsed < best)
                best = watch.Elapsed;
        }

        return best;
    }

    private Tensor Forward(Tensor x)
    {
        var parameter = 0;
        foreach (var layer in _network.Layers)
        {
            x = layer switch
            {
                DenseLayer dense => Activate(dense, F.linear(x, _parameters[parameter++], _parameters[parameter++])),
                ConvLayer conv => Activate(conv, F.conv2d(x, _parameters[parameter++], _parameters[parameter++], padding: [1, 1])),
                MaxPoolLayer => F.max_pool2d(x, 2),
                FlattenLayer => x.flatten(1),
                UnflattenLayer(var map) => x.view(-1, map.Channels, map.Height, map.Width),
                UpsampleLayer => F.interpolate(x, scale_factor: [2, 2], mode: InterpolationMode.Bilinear, align_corners: true),
                _ => throw new NotSupportedException($"{layer} has no counterpart here."),
            };
        }

        return x;
    }

    private static Tensor Activate(WeightedLayer layer, Tensor x) => layer.Activation switch
    {
        Activation.Relu => F.relu(x, inplace: true),
        Activation.Sigmoid => x.sigmoid_(),
        _ => x,
    };

    /// <summary>What libtorch leaves to its user; it gets what suits it best.</summary>
    private sealed record Arrangement(int BatchSize, bool IsChannelsLast);
}
