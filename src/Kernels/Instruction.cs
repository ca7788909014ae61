namespace AutoencoderGpu.Kernels;

/// <summary>What an <see cref="Instruction"/> does; each value is documented by the class that implements it.</summary>
public enum Operation
{
    /// <summary><see cref="Operations.Gather"/></summary>
    Gather,

    /// <summary><see cref="Operations.Dense"/></summary>
    DenseForward,

    /// <summary><see cref="Operations.Dense"/></summary>
    DenseBackward,

    /// <summary><see cref="Operations.Conv3x3"/>: forward, and backward to the input with rotated weights.</summary>
    Conv3x3,

    /// <summary><see cref="Operations.Conv3x3"/></summary>
    Conv3x3Rotate,

    /// <summary><see cref="Operations.Conv3x3"/></summary>
    Conv3x3BackwardWeights,

    /// <summary><see cref="Operations.PooledConv3x3"/></summary>
    PooledConv3x3,

    /// <summary><see cref="Operations.PooledConv3x3"/></summary>
    PooledConv3x3BackwardWeights,

    /// <summary><see cref="Operations.MaxPool2x2"/></summary>
    MaxPoolForward,

    /// <summary><see cref="Operations.MaxPool2x2"/></summary>
    MaxPoolBackward,

    /// <summary><see cref="Operations.Upsample2x"/></summary>
    UpsampleForward,

    /// <summary><see cref="Operations.Upsample2x"/></summary>
    UpsampleBackward,

    /// <summary><see cref="Operations.UpsampledConv3x3"/></summary>
    UpsampledConvProject,

    /// <summary><see cref="Operations.UpsampledConv3x3"/></summary>
    UpsampledConvSpread,

    /// <summary><see cref="Operations.UpsampledConv3x3"/></summary>
    UpsampledConvCollect,

    /// <summary><see cref="Operations.UpsampledConv3x3"/></summary>
    UpsampledConvBackwardWeights,

    /// <summary><see cref="Operations.UpsampledConv3x3"/></summary>
    UpsampledConvBackwardInput,

    /// <summary><see cref="Operations.MeanSquaredError"/></summary>
    MeanSquaredError,

    /// <summary><see cref="Operations.Sgd"/></summary>
    GradientNorm,

    /// <summary><see cref="Operations.Sgd"/></summary>
    SgdUpdate,
}

/// <summary>How <see cref="Operations.Upsample2x"/> interpolates.</summary>
public enum Interpolation
{
    /// <summary>Linear along both axes, corner pixels aligned (PyTorch's <c>align_corners=True</c>).</summary>
    Bilinear,

    /// <summary>Every pixel repeated 2×2.</summary>
    Nearest,
}

/// <summary>
/// One operation on named slices of the arena. It is blittable, so that it can be handed to a kernel as it is; which fields
/// count is said by the operation's factory, which also checks shapes.
/// </summary>
public readonly record struct Instruction
{
    /// <summary>What is done.</summary>
    public Operation Operation { get; init; }

    /// <summary>What is read: an activation forward, the gradient that arrives backward.</summary>
    public FeatureMap Input { get; init; }

    /// <summary>What is written: an activation forward, the gradient that leaves backward.</summary>
    public FeatureMap Output { get; init; }

    /// <summary>An activation kept from the forward pass, or the loss's target.</summary>
    public FeatureMap Saved { get; init; }

    /// <summary>Which pixel of its window each value of an <see cref="Operations.MaxPool2x2"/> came from.</summary>
    public FeatureMap Winners { get; init; }

    /// <summary>Arena offset of the weights, or of the first of all parameters.</summary>
    public int Weights { get; init; }

    /// <summary>Arena offset of the bias; −1 for none, in a convolution.</summary>
    public int Bias { get; init; }

    /// <summary>Arena offset of gradients or of a second copy of the weights.</summary>
    public int Gradients { get; init; }

    /// <summary>Arena offset of partial sums.</summary>
    public int Partials { get; init; }

    /// <summary>Number of parameters.</summary>
    public int Count { get; init; }

    /// <summary>Into how many partial sums a gradient is split, each <see cref="SplitStride"/> floats after the one before.</summary>
    public int Splits { get; init; }

    /// <summary>Floats between two partial sums of a gradient.</summary>
    public int SplitStride { get; init; }

    /// <summary>Floats from one of the nine maps of an <see cref="Operations.UpsampledConv3x3"/> to the next.</summary>
    public int TapStride { get; init; }

    /// <summary>Applied to what is written.</summary>
    public Activation Activation { get; init; }

    /// <summary>The activation whose derivative, read off its saved result, multiplies what is written.</summary>
    public Activation Derivative { get; init; }

    /// <summary>How upsampling interpolates.</summary>
    public Interpolation Interpolation { get; init; }

    /// <summary>Factor of a byte, or the norm at which gradients are clipped (0: not).</summary>
    public float Scale { get; init; }

    /// <summary>Summand of a scaled byte.</summary>
    public float Shift { get; init; }
}
