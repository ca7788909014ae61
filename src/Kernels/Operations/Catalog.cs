using System.Reflection;
using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>A portable kernel: an ILGPU method (Instruction, Buffers, MiniBatch) and how it is launched.</summary>
/// <param name="Name">For people and reports.</param>
/// <param name="Method">The kernel.</param>
/// <param name="GroupSize">Threads a group.</param>
/// <param name="Grid">
/// Groups for an instruction and a number of images; none where other kernels of the operation are better for so many, and take them.
/// </param>
public sealed record PortableKernel(string Name, MethodInfo Method, int GroupSize, Func<Instruction, int, Index3D> Grid)
{
    /// <summary>What else of a step waits for it.</summary>
    public KernelRole Role { get; init; }
}

/// <summary>What a kernel is to the others of a step.</summary>
public enum KernelRole
{
    /// <summary>The next one may need what it writes.</summary>
    Chain,

    /// <summary>
    /// It writes the gradient of weights, or updates weights that the step has read for the last time: nothing but an update needs that.
    /// </summary>
    Gradient,

    /// <summary>It needs gradients.</summary>
    Update,
}

/// <summary>An operation: what it costs, and the portable kernels that execute it one after another.</summary>
/// <param name="Cost">FLOPs and bytes for an instruction and a number of images.</param>
/// <param name="Kernels">The kernels for an instruction, in their order; which of them have anything to do depends on the images.</param>
public sealed record OperationEntry(Func<Instruction, int, Cost> Cost, Func<Instruction, PortableKernel[]> Kernels);

/// <summary>Every operation there is.</summary>
public static class Catalog
{
    /// <summary>Threads of the largest group that a kernel has; a device with smaller ones cannot run the programs.</summary>
    public const int LargestGroup = 256;

    /// <summary>Bytes of the most memory that the threads of a group share, likewise: both factors of a product, twice, and where they lie.</summary>
    public const int LargestSharedBytes = 37_120;

    private const int ElementwiseGroup = GroupSum.GroupSize;

    private static readonly PortableKernel[] _denseForward =
    [
        SmallDense("Dense.SmallForward", nameof(Dense.SmallForwardKernel), (i, b) => Dense.SmallForwardGrid(i, b)),
        LargeDense<Dense.ForwardProduct>("Dense.Forward"),
    ];

    private static readonly PortableKernel[] _denseBackward =
    [
        SmallDense("Dense.SmallBackward", nameof(Dense.SmallBackwardKernel), (i, _) => Dense.SmallBackwardGrid(i)),
        LargeDense<Dense.BackwardInputProduct>("Dense.BackwardInput"),
        LargeDense<Dense.UpdateProduct>("Dense.Update") with { Role = KernelRole.Gradient },
    ];

    private static readonly PortableKernel[] _denseBackwardOfFirst = [_denseBackward[0], _denseBackward[2]];

    private static readonly Dictionary<Operation, OperationEntry> _entries = new()
    {
        [Operation.Gather] = Entry(
            (i, b) => Gather.Cost(i, b), Elementwise("Gather", typeof(Gather), nameof(Gather.Kernel), (i, b) => b * i.Output.Size)),
        [Operation.DenseForward] = new((i, b) => Dense.ForwardCost(i, b), _ => _denseForward),
        [Operation.DenseBackward] = new(
            (i, b) => Dense.BackwardCost(i, b),
            i => i.Output.IsNone ? _denseBackwardOfFirst : _denseBackward),
        [Operation.Conv3x3] = Entry((i, b) => Conv3x3.Cost(i, b), Product<Conv3x3.Product>("Conv3x3")),
        [Operation.Conv3x3Rotate] = Entry(
            (i, b) => Conv3x3.RotateCost(i, b),
            Elementwise(
                "Conv3x3.Rotate", typeof(Conv3x3), nameof(Conv3x3.RotateKernel), (i, _) => 9 * i.Input.Channels * i.Output.Channels)),
        [Operation.Conv3x3BackwardWeights] = Entry(
            (i, b) => Conv3x3.BackwardWeightsCost(i, b), Product<Conv3x3.BackwardWeightsProduct>("Conv3x3.BackwardWeights", KernelRole.Gradient)),
        [Operation.PooledConv3x3] = Entry(
            (i, b) => PooledConv3x3.Cost(i, b),
            new PortableKernel(
                "PooledConv3x3",
                Method(typeof(PooledConv3x3), nameof(PooledConv3x3.Kernel)),
                TiledProduct.GroupSize,
                (i, b) => TiledProduct.GridOf<PooledConv3x3.Factors>(i, b))),
        [Operation.PooledConv3x3BackwardWeights] = Entry(
            (i, b) => PooledConv3x3.BackwardWeightsCost(i, b),
            new PortableKernel(
                "PooledConv3x3.BackwardWeights",
                Method(typeof(PooledConv3x3), nameof(PooledConv3x3.BackwardWeightsKernel)),
                PooledConv3x3.BackwardWeightsGroup,
                (i, _) => PooledConv3x3.BackwardWeightsGrid(i))
            {
                Role = KernelRole.Gradient,
            }),
        [Operation.MaxPoolForward] = Entry(
            (i, b) => MaxPool2x2.Cost(i, b),
            Elementwise("MaxPool2x2.Forward", typeof(MaxPool2x2), nameof(MaxPool2x2.ForwardKernel), (i, b) => b * i.Output.Size)),
        [Operation.MaxPoolBackward] = Entry(
            (i, b) => MaxPool2x2.BackwardCost(i, b),
            Elementwise("MaxPool2x2.Backward", typeof(MaxPool2x2), nameof(MaxPool2x2.BackwardKernel), (i, b) => b * i.Input.Size)),
        [Operation.UpsampleForward] = Entry(
            (i, b) => Upsample2x.Cost(i, b),
            Elementwise("Upsample2x.Forward", typeof(Upsample2x), nameof(Upsample2x.ForwardKernel), (i, b) => b * i.Output.Size)),
        [Operation.UpsampleBackward] = Entry(
            (i, b) => Upsample2x.BackwardCost(i, b),
            Elementwise("Upsample2x.Backward", typeof(Upsample2x), nameof(Upsample2x.BackwardKernel), (i, b) => b * i.Output.Size)),
        [Operation.UpsampledConvProject] = Entry(
            (i, b) => UpsampledConv3x3.ProductCost(i, b), Product<UpsampledConv3x3.ProjectProduct>("UpsampledConv3x3.Project")),
        [Operation.UpsampledConvSpread] = Entry(
            (i, b) => UpsampledConv3x3.SpreadCost(i, b),
            Elementwise(
                "UpsampledConv3x3.Spread",
                typeof(UpsampledConv3x3),
                nameof(UpsampledConv3x3.SpreadKernel),
                (i, b) => b * i.Output.Size)),
        [Operation.UpsampledConvCollect] = Entry(
            (i, b) => UpsampledConv3x3.CollectCost(i, b),
            Elementwise(
                "UpsampledConv3x3.Collect",
                typeof(UpsampledConv3x3),
                nameof(UpsampledConv3x3.CollectKernel),
                (i, b) => 9 * b * i.Output.Size)),
        [Operation.UpsampledConvBackwardWeights] = Entry(
            (i, b) => UpsampledConv3x3.BackwardWeightsCost(i, b),
            Product<UpsampledConv3x3.BackwardWeightsProduct>("UpsampledConv3x3.BackwardWeights", KernelRole.Gradient)),
        [Operation.UpsampledConvBackwardInput] = Entry(
            (i, b) => UpsampledConv3x3.ProductCost(i, b),
            Product<UpsampledConv3x3.BackwardInputProduct>("UpsampledConv3x3.BackwardInput")),
        [Operation.MeanSquaredError] = Entry(
            (i, b) => MeanSquaredError.Cost(i, b),
            new PortableKernel(
                "MeanSquaredError",
                Method(typeof(MeanSquaredError), nameof(MeanSquaredError.Kernel)),
                GroupSum.GroupSize,
                (_, b) => new(b, 1, 1))),
        [Operation.GradientNorm] = Entry(
            (i, b) => Sgd.NormCost(i, b),
            new PortableKernel(
                "Sgd.GradientNorm", Method(typeof(Sgd), nameof(Sgd.NormKernel)), GroupSum.GroupSize, (i, _) => new(Sgd.Blocks(i), 1, 1))
            {
                Role = KernelRole.Update,
            }),
        [Operation.SgdUpdate] = Entry(
            (i, b) => Sgd.UpdateCost(i, b), Elementwise("Sgd.Update", typeof(Sgd), nameof(Sgd.UpdateKernel), (i, _) => i.Count) with { Role = KernelRole.Update }),
    };

    /// <summary>Every portable kernel.</summary>
    public static IEnumerable<PortableKernel> Kernels =>
        _entries.Values.SelectMany(entry => entry.Kernels(default)).Concat(_denseBackward).Distinct();

    /// <summary>The entry of an operation.</summary>
    public static OperationEntry Of(Operation operation) => _entries[operation];

    /// <summary>FLOPs and bytes of an instruction for a number of images.</summary>
    public static Cost CostOf(Instruction instruction, int batch) => Of(instruction.Operation).Cost(instruction, batch);

    private static OperationEntry Entry(Func<Instruction, int, Cost> cost, PortableKernel kernel)
    {
        PortableKernel[] kernels = [kernel];
        return new(cost, _ => kernels);
    }

    private static PortableKernel Product<T>(string name, KernelRole role = KernelRole.Chain)
        where T : struct, ITiledProduct => new(
            name,
            Method(typeof(TiledProduct), nameof(TiledProduct.Kernel)).MakeGenericMethod(typeof(T)),
            TiledProduct.GroupSize,
            (i, batch) => TiledProduct.GridOf<T>(i, batch))
        {
            Role = role,
        };

    private static PortableKernel SmallDense(string name, string method, Func<Instruction, int, Index3D> grid) => new(
        name, Method(typeof(Dense), method), Dense.SmallGroup, (i, batch) => batch <= Dense.SmallBatch ? grid(i, batch) : default);

    private static PortableKernel LargeDense<T>(string name)
        where T : struct, ITiledProduct
    {
        var product = Product<T>(name);
        return product with { Grid = (i, batch) => batch > Dense.SmallBatch ? product.Grid(i, batch) : default };
    }

    private static PortableKernel Elementwise(string name, Type type, string method, Func<Instruction, int, int> items) => new(
        name,
        Method(type, method),
        ElementwiseGroup,
        (i, batch) => new((items(i, batch) + ElementwiseGroup - 1) / ElementwiseGroup, 1, 1));

    private static MethodInfo Method(Type type, string name) =>
        type.GetMethod(name, BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)
            ?? throw new MissingMethodException(type.Name, name);
}
