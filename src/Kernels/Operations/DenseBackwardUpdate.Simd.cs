using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Products;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;

namespace AutoencoderGpu.Kernels.Operations;

public unsafe partial struct DenseBackwardUpdate
{
    /// <summary>
    /// Workers own outputs, as forward. Weights pass through the registers once: a column of vectors of them gives its part of the
    /// inputs' gradient and is updated. The parts of the groups, which are small, are added up at the end.
    /// </summary>
    /// <remarks>
    /// Workers that own inputs instead need no parts, but then a weight that one core has updated is read forward by another,
    /// from whose cache it comes slowly.
    /// </remarks>
    static void IOperation<DenseBackwardUpdate>.Run<V>(in DenseBackwardUpdate i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
    {
        int k = i.Saved.Size, n = i.OutputGradient.Size, groups = DenseGroups.CountOf(n), images = DenseTiles<V>.Images;
        var partLength = (nint)k * images;
        if (batch.Count > images || partLength * groups > Worker.SharedLength || partLength + DenseGroups.MostOf(n) * images > Worker.ScratchLength)
        {
            RunOfMany<V>(i, buffers, batch, worker);
            return;
        }

        var factor = -buffers.LearningRates[batch.Step];
        float* saved = buffers.Arena + i.Saved.Offset, inputs = worker.Scratch, gradients = inputs + partLength;
        // Columns beyond the last whole vector are taken one by one.
        var whole = k - k % V.Width;
        if (!i.InputGradient.IsNone)
        {
            PackInputs<V>(saved, k, batch.Count, 0, whole, inputs);
            PackInputs<SimdScalar>(saved, k, batch.Count, whole, k, inputs);
        }

        foreach (var group in worker.Items(groups))
        {
            int first = DenseGroups.FirstOf(n, group), rows = DenseGroups.FirstOf(n, group + 1) - first;
            float* weights = buffers.Arena + i.Weights + (nint)first * k, gradient = buffers.Arena + i.OutputGradient.Offset + first;
            if (i.InputGradient.IsNone)
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

            DensePanels.AddToBias<V>(buffers.Arena + i.OutputGradient.Offset, n, batch.Count, first, first + rows, factor, buffers.Arena + i.Bias);
        }

        if (i.InputGradient.IsNone)
            return;
        worker.WaitForAll();
        foreach (var piece in worker.Ranges((k + V.Width - 1) / V.Width, grain: 4))
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
    private static void AddParts<V>(in DenseBackwardUpdate i, in HostBuffers buffers, int images, float* parts, int start, int end)
        where V : unmanaged, ISimd<V>
    {
        int k = i.Saved.Size, groups = DenseGroups.CountOf(i.OutputGradient.Size);
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
                V.Store(Activations<V>.TimesDerivative(i.Derivative, saved, sum), buffers.Arena + i.InputGradient.Offset + at);
            }
        }
    }

    /// <summary>The inputs' gradient from the old weights, and then, when no worker needs these any more, the update.</summary>
    private static void RunOfMany<V>(in DenseBackwardUpdate i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int k = i.Saved.Size, n = i.OutputGradient.Size;
        var factor = -buffers.LearningRates[batch.Step];
        var gradient = buffers.Arena + i.OutputGradient.Offset;
        if (!i.InputGradient.IsNone)
        {
            DensePanels.BackwardInput<V>(i.InputPart, buffers, batch.Count, worker);
            worker.WaitForAll();
        }

        DensePanels.OuterProducts<V>(
            factor, gradient, n, buffers.Arena + i.Saved.Offset, k, batch.Count, buffers.Arena + i.Weights, accumulate: true, worker);
        var (start, end) = worker.Range(n);
        DensePanels.AddToBias<V>(gradient, n, batch.Count, start, end, factor, buffers.Arena + i.Bias);
    }
}
