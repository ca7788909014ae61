using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Simd;

namespace AutoencoderGpu.Kernels.Operations;

public static unsafe partial class Dense
{
    /// <summary>Weights that stay in the second-level cache while the images of the mini-batch pass, five at a time.</summary>
    private const int ForwardBlock = 24 * 1024;

    /// <summary>
    /// Into how many groups the outputs are divided at most, of which every worker owns some, forward and backward: the weights of a
    /// layer stay in the caches of the core that updates them. Twelve are shared evenly by two, three, four, six and twelve workers,
    /// and are summed in their order, so that the number of workers changes no bit.
    /// </summary>
    private const int MostGroups = 12;

    /// <summary>Outputs of a group at least, but in a small layer: its part of the inputs' gradient is added up, which takes longer than its sums.</summary>
    private const int LeastOutputs = 32;

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
        var block = Math.Max(2, ForwardBlock / k & ~1);
        foreach (var groups in worker.Pieces(GroupsOf(n), grain: 1))
        {
            var end = FirstOfGroup(n, groups.End);
            for (var first = FirstOfGroup(n, groups.Start); first < end; first += block)
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
    }

    /// <summary>
    /// Workers own outputs, as forward. Weights pass through the registers once: a column of vectors of them gives its part of the
    /// inputs' gradient and is updated. The parts of the groups, which are small, are added up at the end.
    /// </summary>
    /// <remarks>
    /// Workers that own inputs instead need no parts, but then a weight that one core has updated is read forward by another,
    /// from whose cache it comes slowly.
    /// </remarks>
    internal static void RunBackward<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int k = i.Saved.Size, n = i.Input.Size, groups = GroupsOf(n), images = DenseTiles<V>.Images;
        var partLength = (nint)k * images;
        if (batch.Count > images || partLength * groups > Worker.SharedLength || partLength + MostOfGroup(n) * images > Worker.ScratchLength)
        {
            RunBackwardOfMany<V>(i, buffers, batch, worker);
            return;
        }

        var factor = -buffers.LearningRates[batch.Step];
        float* saved = buffers.Arena + i.Saved.Offset, inputs = worker.Scratch, gradients = inputs + partLength;
        // Columns beyond the last whole vector are taken one by one.
        var whole = k - k % V.Width;
        if (!i.Output.IsNone)
        {
            PackInputs<V>(saved, k, batch.Count, 0, whole, inputs);
            PackInputs<SimdScalar>(saved, k, batch.Count, whole, k, inputs);
        }

        foreach (var group in worker.Items(groups))
        {
            int first = FirstOfGroup(n, group), rows = FirstOfGroup(n, group + 1) - first;
            float* weights = buffers.Arena + i.Weights + (nint)first * k, gradient = buffers.Arena + i.Input.Offset + first;
            if (i.Output.IsNone)
            {
                Update<V>(gradient, n, rows, saved, k, batch.Count, factor, weights, worker.Scratch);
            }
            else
            {
                PackGradients(gradient, n, rows, batch.Count, gradients);
                var part = worker.Shared + group * partLength;
                RunColumns<V>(gradients, rows, batch.Count, weights, k, 0, whole, inputs, factor, part);
                RunColumns<SimdScalar>(gradients, rows, batch.Count, weights, k, whole, k, inputs, factor, part);
            }

            UpdateBias<V>(buffers.Arena + i.Input.Offset, n, batch.Count, first, first + rows, factor, buffers.Arena + i.Bias);
        }

        if (i.Output.IsNone)
            return;
        worker.WaitForAll();
        foreach (var piece in worker.Pieces((k + V.Width - 1) / V.Width, grain: 4))
        {
            int start = piece.Start * V.Width, end = piece.End * V.Width;
            AddParts<V>(i, buffers, batch.Count, worker.Shared, start, Math.Min(end, whole));
            AddParts<SimdScalar>(i, buffers, batch.Count, worker.Shared, Math.Max(start, whole), Math.Min(end, k));
        }
    }

    /// <summary>packed[c, r, v] = inputs[r, c + v] for ten r and whole vectors of columns, zeros for images that are not there.</summary>
    private static void PackInputs<V>(float* inputs, int k, int images, int start, int end, float* packed)
        where V : unmanaged, ISimd<V>
    {
        for (var column = start; column < end; column += V.Width)
        {
            var target = packed + column * DenseTiles<V>.Images;
            for (var r = 0; r < DenseTiles<V>.Images; r++, target += V.Width)
                V.Store(r < images ? V.Load(inputs + (nint)r * k + column) : default, target);
        }
    }

    private static void RunColumns<V>(
        float* gradients, int rows, int images, float* weights, int k, int start, int end, float* inputs, float factor, float* part)
        where V : unmanaged, ISimd<V>
    {
        for (var column = start; column < end; column += V.Width)
        {
            var at = column * DenseTiles<V>.Images;
            DenseTiles<V>.Backward(gradients, rows, images, weights + column, k, inputs + at, factor, part + at);
        }
    }

    /// <summary>packed[n, r] = gradient[r, n] for ten r, zeros for images that are not there, and a row of zeros at the end.</summary>
    private static void PackGradients(float* gradient, int stride, int rows, int images, float* packed)
    {
        const int width = DenseTiles<SimdScalar>.Images;
        Transposition.Run(gradient, stride, images, rows, packed, width);
        for (var row = 0; row < rows && images < width; row++)
            new Span<float>(packed + row * width + images, width - images).Clear();
        new Span<float>(packed + rows * width, width).Clear();
    }

    /// <summary>The update alone, of a first layer, by panels of two vectors of inputs.</summary>
    private static void Update<V>(
        float* gradient, int n, int rows, float* saved, int k, int images, float factor, float* weights, float* panel)
        where V : unmanaged, ISimd<V>
    {
        for (var column = 0; column < k; column += Panel<V>.Columns)
        {
            Panel<V>.Pack(factor, saved + column, k, images, panel);
            Panel<V>.Multiply(
                gradient, 1, n, panel, Panel<V>.Columns, images, weights + column, k, rows, Math.Min(Panel<V>.Columns, k - column), accumulate: true);
        }
    }

    /// <summary>Adds up the groups' parts of some columns of the inputs' gradient.</summary>
    private static void AddParts<V>(in Instruction i, in HostBuffers buffers, int images, float* parts, int start, int end)
        where V : unmanaged, ISimd<V>
    {
        int k = i.Saved.Size, groups = GroupsOf(i.Input.Size);
        var length = (nint)k * DenseTiles<V>.Images;
        for (var column = start; column < end; column += V.Width)
        {
            for (var b = 0; b < images; b++)
            {
                var source = parts + column * DenseTiles<V>.Images + b * V.Width;
                var sum = V.Load(source);
                for (var group = 1; group < groups; group++)
                    sum += V.Load(source + group * length);
                var at = (nint)b * k + column;
                var saved = i.Derivative == Activation.None ? default : V.Load(buffers.Arena + i.Saved.Offset + at);
                V.Store(Elements<V>.TimesDerivative(i.Derivative, saved, sum), buffers.Arena + i.Output.Offset + at);
            }
        }
    }

    private static int GroupsOf(int outputs) => Math.Clamp(outputs / LeastOutputs, 1, MostGroups);

    /// <summary>Groups are of whole tiles of six outputs.</summary>
    private static int FirstOfGroup(int outputs, int group)
    {
        const int rows = Micro<SimdScalar>.OuterRows;
        return Math.Min(outputs, (outputs + rows - 1) / rows * group / GroupsOf(outputs) * rows);
    }

    /// <summary>Outputs that a group has at most, and one more.</summary>
    private static int MostOfGroup(int outputs) => outputs / GroupsOf(outputs) + 2 * Micro<SimdScalar>.OuterRows + 1;

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
