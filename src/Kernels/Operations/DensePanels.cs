using AutoencoderGpu.Kernels.Products;
using AutoencoderGpu.Kernels.Simd;
using AutoencoderGpu.Kernels.Threads;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>The CPU's products of dense layers by packed panels.</summary>
internal static unsafe class DensePanels
{
    /// <summary>
    /// So many images repay that weights are packed, and transposed forward, into panels of two vectors of columns: then no sum runs
    /// across a vector, and no row lies a power of two behind the one before.
    /// </summary>
    public const int ManyImages = 32;

    /// <summary>A panel of this depth, of two vectors of 8 floats, takes half of a common first-level cache.</summary>
    private const int PanelDepth = 320;

    /// <summary>The inputs' gradient. Workers take panels of it.</summary>
    public static void BackwardInput<V>(in DenseBackwardInput i, in HostBuffers buffers, int images, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int k = i.Saved.Size, n = i.OutputGradient.Size;
        float* weights = buffers.Arena + i.Weights, gradient = buffers.Arena + i.OutputGradient.Offset;
        float* saved = buffers.Arena + i.Saved.Offset, panel = worker.Scratch;
        foreach (var part in new Panels<V>(k, images, worker))
        {
            var at = (nint)part.Row * k + part.Column;
            var target = buffers.Arena + i.InputGradient.Offset + at;
            foreach (var (first, depth) in new Depths(n))
            {
                Panel<V>.Pack(1f, weights + (nint)first * k + part.Column, k, depth, panel);
                Panel<V>.Multiply(
                    gradient + (nint)part.Row * n + first, n, 1, panel, Panel<V>.Columns, depth, target, k, part.Rows, part.Columns, first > 0);
            }

            for (nint row = 0; row < part.Rows * (nint)k; row += k)
                Activations<V>.TimesDerivative(i.Derivative, saved + at + row, target + row, target + row, part.Columns);
        }
    }

    /// <summary>
    /// target[n, k] (+)= factor · Σ_b gradient[b, n] · saved[b, k]. Workers take panels: where these are weights, that they change cores is little
    /// beside what is computed with them.
    /// </summary>
    public static void OuterProducts<V>(
        float factor, float* gradient, int n, float* saved, int k, int images, float* target, bool accumulate, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        var panel = worker.Scratch;
        foreach (var part in new Panels<V>(k, n, worker))
        {
            foreach (var (first, depth) in new Depths(images))
            {
                Panel<V>.Pack(factor, saved + (nint)first * k + part.Column, k, depth, panel);
                Panel<V>.Multiply(
                    gradient + (nint)first * n + part.Row, 1, n, panel, Panel<V>.Columns, depth,
                    target + (nint)part.Row * k + part.Column, k, part.Rows, part.Columns, accumulate || first > 0);
            }
        }
    }

    /// <summary>bias[n] += factor · Σ_b gradient[b, n] for some outputs.</summary>
    public static void AddToBias<V>(float* gradient, int n, int images, int start, int end, float factor, float* bias)
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
            AddToBias<SimdScalar>(gradient, n, images, output, end, factor, bias);
    }

    /// <summary>A worker's panels of columns of a matrix, or parts of them where there are too few panels for many workers.</summary>
    public struct Panels<V>
        where V : unmanaged, ISimd<V>
    {
        /// <summary>So many items for each worker even out what differs between them.</summary>
        private const int ItemsOfWorker = 4;

        private readonly int _columns;
        private readonly int _rows;
        private readonly int _parts; // of a panel, in whole tiles of rows
        private WorkItems _items;

        public Panels(int columns, int rows, Worker worker)
        {
            var panels = (columns + Panel<V>.Columns - 1) / Panel<V>.Columns;
            (_columns, _rows, _parts) = (columns, rows, Math.Max(1, ItemsOfWorker * worker.Count / panels));
            _items = worker.Items(panels * _parts);
        }

        public (int Column, int Columns, int Row, int Rows) Current { get; private set; }

        public readonly Panels<V> GetEnumerator() => this;

        public bool MoveNext()
        {
            if (!_items.MoveNext())
                return false;
            int panel = _items.Current / _parts, part = _items.Current - panel * _parts, column = panel * Panel<V>.Columns;
            int first = FirstRow(part), end = FirstRow(part + 1);
            Current = (column, Math.Min(Panel<V>.Columns, _columns - column), first, end - first);
            return true;
        }

        private readonly int FirstRow(int part)
        {
            var tiles = (_rows + MicroKernel<V>.MR - 1) / MicroKernel<V>.MR;
            return Math.Min(_rows, tiles * part / _parts * MicroKernel<V>.MR);
        }
    }

    /// <summary>A depth in pieces of almost the same length that are few enough to be packed.</summary>
    public struct Depths(int depth)
    {
        private readonly int _length = (depth + (depth - 1) / PanelDepth) / ((depth - 1) / PanelDepth + 1);

        public (int First, int Depth) Current { get; private set; }

        public readonly Depths GetEnumerator() => this;

        public bool MoveNext()
        {
            var first = Current.First + Current.Depth;
            Current = (first, Math.Min(_length, depth - first));
            return first < depth;
        }
    }
}
