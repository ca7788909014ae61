using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Simd;

namespace AutoencoderGpu.Kernels.Operations;

public static unsafe partial class Dense
{
    /// <summary>
    /// So many images repay that weights are packed, and transposed forward, into panels of two vectors of columns: then no sum runs
    /// across a vector, and no row lies a power of two behind the one before.
    /// </summary>
    private const int ManyImages = 32;

    /// <summary>A panel of this depth, of two vectors of 8 floats, takes half of a common first-level cache.</summary>
    private const int PanelDepth = 320;

    /// <summary>Workers own tiles of six images by two vectors of outputs, in the order of the panels.</summary>
    private static void RunForwardOfMany<V>(in Instruction i, in HostBuffers buffers, int images, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int k = i.Input.Size, n = i.Output.Size;
        float* weights = buffers.Arena + i.Weights, input = buffers.Arena + i.Input.Offset;
        float* output = buffers.Arena + i.Output.Offset, panel = worker.Scratch;
        foreach (var part in new PanelShare<V>(n, images, worker))
        {
            var target = output + (nint)part.Row * n + part.Column;
            foreach (var (first, depth) in new Depths(k))
            {
                Transposition.Run(weights + (nint)part.Column * k + first, k, part.Columns, depth, panel, Panel<V>.Columns);
                Panel<V>.Multiply(
                    input + (nint)part.Row * k + first, k, 1, panel, Panel<V>.Columns, depth, target, n, part.Rows, part.Columns, first > 0);
            }

            Elements<V>.AddBias(i.Activation, buffers.Arena + i.Bias + part.Column, target, n, part.Rows, part.Columns);
        }
    }

    /// <summary>
    /// The inputs' gradient from the old weights, and then, when no worker needs these any more, the update. Workers own tiles of the
    /// gradient and then of the weights: that these change cores is little beside what is computed with them.
    /// </summary>
    private static void RunBackwardOfMany<V>(in Instruction i, in HostBuffers buffers, in MiniBatch batch, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        int k = i.Saved.Size, n = i.Input.Size, images = batch.Count;
        float* weights = buffers.Arena + i.Weights, gradient = buffers.Arena + i.Input.Offset;
        float* saved = buffers.Arena + i.Saved.Offset, panel = worker.Scratch;
        var factor = -buffers.LearningRates[batch.Step];
        if (!i.Output.IsNone)
        {
            foreach (var part in new PanelShare<V>(k, images, worker))
            {
                var at = (nint)part.Row * k + part.Column;
                var target = buffers.Arena + i.Output.Offset + at;
                foreach (var (first, depth) in new Depths(n))
                {
                    Panel<V>.Pack(1f, weights + (nint)first * k + part.Column, k, depth, panel);
                    Panel<V>.Multiply(
                        gradient + (nint)part.Row * n + first, n, 1, panel, Panel<V>.Columns, depth, target, k, part.Rows, part.Columns, first > 0);
                }

                for (nint row = 0; row < part.Rows * (nint)k; row += k)
                    Elements<V>.TimesDerivative(i.Derivative, saved + at + row, target + row, target + row, part.Columns);
            }

            worker.WaitForAll();
        }

        foreach (var part in new PanelShare<V>(k, n, worker))
        {
            foreach (var (first, depth) in new Depths(images))
            {
                Panel<V>.Pack(factor, saved + (nint)first * k + part.Column, k, depth, panel);
                Panel<V>.Multiply(
                    gradient + (nint)first * n + part.Row, 1, n, panel, Panel<V>.Columns, depth,
                    weights + (nint)part.Row * k + part.Column, k, part.Rows, part.Columns, accumulate: true);
            }
        }

        var (start, end) = worker.Share(n);
        UpdateBias<V>(gradient, n, images, start, end, factor, buffers.Arena + i.Bias);
    }

    /// <summary>A worker's share of the tiles of a matrix, panel after panel of columns.</summary>
    private struct PanelShare<V>(int columns, int rows, Worker worker)
        where V : unmanaged, ISimd<V>
    {
        private readonly int _tiles = (rows + Micro<V>.OuterRows - 1) / Micro<V>.OuterRows;
        private (int Start, int End) _share =
            worker.Share((columns + Panel<V>.Columns - 1) / Panel<V>.Columns * ((rows + Micro<V>.OuterRows - 1) / Micro<V>.OuterRows));

        public (int Column, int Columns, int Row, int Rows) Current { get; private set; }

        public readonly PanelShare<V> GetEnumerator() => this;

        public bool MoveNext()
        {
            if (_share.Start >= _share.End)
                return false;
            int panel = _share.Start / _tiles, start = _share.Start - panel * _tiles, end = Math.Min(_tiles, _share.End - panel * _tiles);
            _share.Start = panel * _tiles + end;
            int column = panel * Panel<V>.Columns, row = start * Micro<V>.OuterRows;
            Current = (column, Math.Min(Panel<V>.Columns, columns - column), row, Math.Min(rows, end * Micro<V>.OuterRows) - row);
            return true;
        }
    }

    /// <summary>A depth in pieces of almost the same length that are few enough to be packed.</summary>
    private struct Depths(int depth)
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
