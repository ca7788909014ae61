using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Simd;

namespace AutoencoderGpu.Kernels.Operations;

public static unsafe partial class Dense
{
    /// <summary>Weights that stay in the second-level cache while the images of the mini-batch pass, five at a time.</summary>
    private const int ForwardBlock = 24 * 1024;

    /// <summary>
    /// Into how many groups the outputs are divided, of which every worker owns some, forward and backward: the weights of a layer
    /// stay in the caches of the core that updates them. Twelve are shared evenly by two, three, four, six and twelve workers, and
    /// are summed in their order, so that the number of workers changes no bit.
    /// </summary>
    private const int OutputGroups = 12;

    /// <summary>
    /// Outputs whose weights are worked on together, whole tiles of them: few enough that their lines stay in the first-level cache
    /// between two uses even where rows are a power of two apart, many enough that the inputs' gradient is not taken up and put
    /// down all the time.
    /// </summary>
    private const int OutputBlock = 24;

    /// <summary>Workers own outputs; a tile is five images by two outputs, each a dot product along the contiguous inputs.</summary>
    internal static void RunForward<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        if (batch.Count >= ManyImages)
        {
            RunForwardOfMany<V>(i, buffers, batch.Count, worker);
            return;
        }

        int k = i.Input.Size, n = i.Output.Size;
        float* weights = buffers.Arena + i.Weights, bias = buffers.Arena + i.Bias;
        float* input = buffers.Arena + i.Input.Offset, output = buffers.Arena + i.Output.Offset;
        var groups = worker.Share(OutputGroups);
        int start = FirstOfGroup<V>(n, groups.Start), end = FirstOfGroup<V>(n, groups.End);
        var block = Math.Max(2, ForwardBlock / k & ~1);
        for (var first = start; first < end; first += block)
        {
            var outputs = Math.Min(block, end - first);
            // Five images' inputs stay in the first-level cache while a block of weights streams past; ten would not fit beside them.
            for (var b = 0; b < batch.Count; b += DenseTiles<V>.ImageRows)
            {
                var images = Math.Min(DenseTiles<V>.ImageRows, batch.Count - b);
                var target = output + (nint)b * n + first;
                DenseTiles<V>.Dot(input + (nint)b * k, images, weights + (nint)first * k, k, outputs, bias + first, target, n);
                for (var r = 0; r < images; r++)
                    Elements<V>.Activate(i.Activation, target + (nint)r * n, outputs);
            }
        }
    }

    /// <summary>
    /// Workers own outputs, as forward. Weights pass through the cache once: of each block of outputs, by two vectors of inputs at a
    /// time, first the inputs' gradient takes its part from the old weights, then these are updated. The parts of the groups, which
    /// are small, are added up at the end.
    /// </summary>
    /// <remarks>
    /// Workers that own inputs instead need no parts, but then a weight that one core has updated is read forward by another,
    /// from whose cache it comes slowly.
    /// </remarks>
    internal static void RunBackward<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int k = i.Saved.Size, n = i.Input.Size;
        // A cache line more than a row needs, lest rows be a power of two apart.
        var stride = (k + Panel<V>.Columns - 1) / Panel<V>.Columns * Panel<V>.Columns + 16;
        var length = (long)stride * batch.Count;
        if (batch.Count >= ManyImages || length * OutputGroups > Worker.SharedLength)
        {
            RunBackwardOfMany<V>(i, buffers, batch, worker);
            return;
        }

        var (start, end) = worker.Share(OutputGroups);
        for (var group = start; group < end; group++)
        {
            RunOutputs<V>(
                i, buffers, batch, FirstOfGroup<V>(n, group), FirstOfGroup<V>(n, group + 1), new(worker.Shared + group * (nint)length, stride));
        }

        (start, end) = (FirstOfGroup<V>(n, start), FirstOfGroup<V>(n, end));
        UpdateBias<V>(
            buffers.Arena + i.Input.Offset, n, batch.Count, start, end, -buffers.LearningRates[batch.Step], buffers.Arena + i.Bias);
        if (i.Output.IsNone)
            return;
        worker.WaitForAll();
        AddParts<V>(i, buffers, batch.Count, new(worker.Shared, stride), (nint)length, worker);
    }

    /// <summary>Some outputs' part of the inputs' gradient, if it is wanted, and the update of their weights.</summary>
    private static void RunOutputs<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, int start, int end, Parts parts)
        where V : unmanaged, ISimd<V>
    {
        int k = i.Saved.Size, n = i.Input.Size, width = Panel<V>.Columns, images = batch.Count;
        float* gradient = buffers.Arena + i.Input.Offset, saved = buffers.Arena + i.Saved.Offset;
        var scaled = stackalloc float[OutputBlock * ManyImages];
        for (var output = start; output < end; output += OutputBlock)
        {
            var outputs = Math.Min(OutputBlock, end - output);
            for (var b = 0; b < images; b++)
                Elements<V>.Scale(-buffers.LearningRates[batch.Step], gradient + b * n + output, scaled + b * OutputBlock, outputs);
            for (var column = 0; column < k; column += width)
            {
                var weights = buffers.Arena + i.Weights + (nint)output * k + column;
                for (var b = 0; b < images && !i.Output.IsNone; b += DenseTiles<V>.ImageRows)
                {
                    DenseTiles<V>.Sum(
                        gradient + b * n + output, Math.Min(DenseTiles<V>.ImageRows, images - b), n, weights, k, outputs,
                        parts.First + b * parts.Stride + column, parts.Stride, accumulate: output > start);
                }

                Panel<V>.Multiply(
                    scaled, 1, OutputBlock, saved + column, k, images, weights, k, outputs, Math.Min(width, k - column), accumulate: true);
            }
        }
    }

    /// <summary>Workers own columns of the inputs' gradient.</summary>
    private static void AddParts<V>(
        in Instruction i, in HostBuffers buffers, int images, Parts parts, nint groupStride, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int k = i.Saved.Size, count = 0;
        var offsets = stackalloc nint[OutputGroups];
        for (var group = 0; group < OutputGroups; group++)
        {
            // Groups of a layer with few outputs may be empty and have no part.
            if (FirstOfGroup<V>(i.Input.Size, group) < FirstOfGroup<V>(i.Input.Size, group + 1))
                offsets[count++] = group * groupStride;
        }

        var (start, end) = worker.Share((k + V.Width - 1) / V.Width);
        (start, end) = (start * V.Width, Math.Min(end * V.Width, k));
        for (var b = 0; b < images; b++)
        {
            var at = (nint)b * k;
            float* saved = buffers.Arena + i.Saved.Offset + at, target = buffers.Arena + i.Output.Offset + at;
            var source = parts.First + (nint)b * parts.Stride;
            var column = start;
            for (; column <= end - V.Width; column += V.Width)
                AddParts<V>(i.Derivative, source + column, offsets, count, saved + column, target + column);
            for (; column < end; column++)
                AddParts<SimdScalar>(i.Derivative, source + column, offsets, count, saved + column, target + column);
        }
    }

    private static void AddParts<T>(Activation derivative, float* parts, nint* offsets, int count, float* saved, float* target)
        where T : unmanaged, ISimd<T>
    {
        T sum = default;
        for (var part = 0; part < count; part++)
            sum += T.Load(parts + offsets[part]);
        T.Store(Elements<T>.TimesDerivative(derivative, derivative == Activation.None ? default : T.Load(saved), sum), target);
    }

    /// <summary>Groups are of whole tiles of outputs; a layer of few has empty ones.</summary>
    private static int FirstOfGroup<V>(int outputs, int group)
        where V : unmanaged, ISimd<V>
    {
        const int rows = Micro<V>.OuterRows;
        return Math.Min(outputs, (outputs + rows - 1) / rows * group / OutputGroups * rows);
    }

    /// <summary>Parts of the inputs' gradient, (images, K), rows <paramref name="stride"/> floats apart.</summary>
    private readonly struct Parts(float* first, int stride)
    {
        public readonly float* First = first;
        public readonly int Stride = stride;
    }

    private static void UpdateBias<V>(float* gradient, int n, int images, int start, int end, float factor, float* bias)
        where V : unmanaged, ISimd<V>
    {
        var output = start;
        for (; output <= end - V.Width; output += V.Width)
        {
            V sum = default;
            for (var b = 0; b < images; b++)
                sum += V.Load(gradient + (nint)b * n + output);
            V.Store(V.MultiplyAdd(V.Broadcast(factor), sum, V.Load(bias + output)), bias + output);
        }

        if (V.Width > 1 && output < end)
            UpdateBias<SimdScalar>(gradient, n, images, output, end, factor, bias);
    }
}
