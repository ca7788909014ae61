using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

public static partial class UpsampledConv3x3
{
    /// <summary>Rows are pixels, columns taps and output channels, the depth runs over input channels.</summary>
    internal readonly struct ProjectProduct : ITiledProduct
    {
        public static bool LeftRunsAlongDepth => true;

        public static bool RightRunsAlongDepth => false;

        public static int Rows(in Instruction i, int batch) => batch * i.Input.Height * i.Input.Width;

        public static int Columns(in Instruction i) => Taps * i.Output.Channels;

        public static int Depth(in Instruction i, int batch) => i.Input.Channels;

        public static int RowPlace(in Instruction i, int row) => i.Input.Offset + row * i.Input.Channels;

        public static int ColumnPlace(in Instruction i, int column)
        {
            var tap = column / i.Output.Channels;
            return i.Weights + tap * (i.Input.Channels - 1) * i.Output.Channels + column;
        }

        public static int LeftPlace(in Instruction i, int depth) => depth;

        public static int RightPlace(in Instruction i, int depth) => depth * i.Output.Channels;

        public static float Left(in Instruction i, in Buffers buffers, int row, int depth) => buffers.Arena[row + depth];

        public static float Right(in Instruction i, in Buffers buffers, int depth, int column) => buffers.Arena[column + depth];

        public static int ResultPlace(in Instruction i, int row, int column, int split) =>
            Place(i.Output, i.TapStride, column) + row * i.Output.Channels;

        public static float Result(in Instruction i, in Buffers buffers, in MiniBatch batch, int row, int column, float sum) => sum;
    }

    /// <summary>
    /// Rows are input channels and, last, the constant 1 of the bias; columns are taps and output channels, the depth runs over
    /// pixels. Of the last row only the middle tap counts.
    /// </summary>
    internal readonly struct BackwardWeightsProduct : ITiledProduct
    {
        public static bool LeftRunsAlongDepth => false;

        public static bool RightRunsAlongDepth => false;

        public static int Rows(in Instruction i, int batch) => i.Saved.Channels + 1;

        public static int Columns(in Instruction i) => Taps * i.Input.Channels;

        public static int Depth(in Instruction i, int batch) => batch * i.Input.Height * i.Input.Width;

        public static int RowPlace(in Instruction i, int row) => row == i.Saved.Channels ? TiledProduct.One : i.Saved.Offset + row;

        public static int ColumnPlace(in Instruction i, int column) => Place(i.Input, i.TapStride, column);

        public static int LeftPlace(in Instruction i, int depth) => depth * i.Saved.Channels;

        public static int RightPlace(in Instruction i, int depth) => depth * i.Input.Channels;

        public static float Left(in Instruction i, in Buffers buffers, int row, int depth) =>
            row == TiledProduct.One ? 1f : buffers.Arena[row + depth];

        public static float Right(in Instruction i, in Buffers buffers, int depth, int column) => buffers.Arena[column + depth];

        public static int ResultPlace(in Instruction i, int row, int column, int split)
        {
            int cin = i.Saved.Channels, cout = i.Input.Channels, tap = column / cout, n = column - tap * cout;
            if (row == cin && tap != Taps / 2)
                return -1;
            return i.Gradients + split * i.SplitStride + (row == cin ? Taps * cin : tap * cin + row) * cout + n;
        }

        public static float Result(in Instruction i, in Buffers buffers, in MiniBatch batch, int row, int column, float sum) => sum;
    }

    /// <summary>Rows are pixels, columns input channels, the depth runs over taps and output channels.</summary>
    internal readonly struct BackwardInputProduct : ITiledProduct
    {
        public static bool LeftRunsAlongDepth => true;

        public static bool RightRunsAlongDepth => false;

        public static int Rows(in Instruction i, int batch) => batch * i.Output.Height * i.Output.Width;

        public static int Columns(in Instruction i) => i.Output.Channels;

        public static int Depth(in Instruction i, int batch) => Taps * i.Input.Channels;

        public static int RowPlace(in Instruction i, int row) => row * i.Input.Channels;

        public static int ColumnPlace(in Instruction i, int column) => i.Weights + column;

        public static int LeftPlace(in Instruction i, int depth) => Place(i.Input, i.TapStride, depth);

        public static int RightPlace(in Instruction i, int depth)
        {
            int tap = depth / i.Input.Channels, n = depth - tap * i.Input.Channels;
            return ((Taps - 1 - tap) * i.Input.Channels + n) * i.Output.Channels;
        }

        public static float Left(in Instruction i, in Buffers buffers, int row, int depth) => buffers.Arena[row + depth];

        public static float Right(in Instruction i, in Buffers buffers, int depth, int column) => buffers.Arena[column + depth];

        public static int ResultPlace(in Instruction i, int row, int column, int split) =>
            Conv3x3.Product.ResultPlace(i, row, column, split);

        public static float Result(in Instruction i, in Buffers buffers, in MiniBatch batch, int row, int column, float sum) =>
            Conv3x3.Product.Result(i, buffers, batch, row, column, sum);
    }

    /// <summary>Where the first pixel of z has one of its taps' channels, counted (tap, channel).</summary>
    private static int Place(in FeatureMap first, int tapStride, int channel)
    {
        var tap = channel / first.Channels;
        return first.Offset + tap * (tapStride - first.Channels) + channel;
    }

    /// <summary>A thread an output value: nine taps of four shares. All are read at once, those outside times 0.</summary>
    internal static void SpreadKernel(Instruction i, Buffers buffers, MiniBatch batch)
    {
        var index = Grid.GlobalIndex.X;
        if (index >= batch.Count * i.Output.Size)
            return;
        int pixel = index / i.Output.Channels, channel = index - pixel * i.Output.Channels;
        int row = pixel / i.Output.Width, image = row / i.Output.Height;
        int y = row - image * i.Output.Height, x = pixel - row * i.Output.Width;
        var scale = Upsample2x.Position.Scale(i.Input.Width);
        var left = Pair.Of(i.Interpolation, x - 1, i.Input.Width, scale, i.Input.Channels);
        var middle = Pair.Of(i.Interpolation, x, i.Input.Width, scale, i.Input.Channels);
        var right = Pair.Of(i.Interpolation, x + 1, i.Input.Width, scale, i.Input.Channels);
        scale = Upsample2x.Position.Scale(i.Input.Height);
        var above = Pair.Of(i.Interpolation, y - 1, i.Input.Height, scale, i.Input.RowStride);
        var same = Pair.Of(i.Interpolation, y, i.Input.Height, scale, i.Input.RowStride);
        var below = Pair.Of(i.Interpolation, y + 1, i.Input.Height, scale, i.Input.RowStride);
        var map = i.Input.At(image, 0, 0) + channel;
        var sum = buffers.Arena[i.Bias + channel]
            + Mix(i, buffers, map, above, left, middle, right)
            + Mix(i, buffers, map + 3 * i.TapStride, same, left, middle, right)
            + Mix(i, buffers, map + 6 * i.TapStride, below, left, middle, right);
        buffers.Arena[i.Output.AtPixel(pixel) + channel] = Activations.Apply(i.Activation, sum);
    }

    /// <summary>What the three taps of a row give to an output.</summary>
    private static float Mix(in Instruction i, in Buffers buffers, int map, Pair row, Pair left, Pair middle, Pair right) =>
        row.Mix(buffers.Arena, map, left)
        + row.Mix(buffers.Arena, map + i.TapStride, middle)
        + row.Mix(buffers.Arena, map + 2 * i.TapStride, right);

    /// <summary>A thread a value of the nine maps: up to 4×4 outputs. All are read at once, those outside times 0.</summary>
    internal static void CollectKernel(Instruction i, Buffers buffers, MiniBatch batch)
    {
        var index = Grid.GlobalIndex.X;
        if (index >= Taps * batch.Count * i.Output.Size)
            return;
        var tap = index / (batch.Count * i.Output.Size);
        index -= tap * batch.Count * i.Output.Size;
        int pixel = index / i.Output.Channels, channel = index - pixel * i.Output.Channels;
        int row = pixel / i.Output.Width, image = row / i.Output.Height;
        int y = row - image * i.Output.Height, x = pixel - row * i.Output.Width;
        var rows = Four.Of(i.Interpolation, y, i.Output.Height, tap / 3 - 1, i.Input.RowStride);
        var columns = Four.Of(i.Interpolation, x, i.Output.Width, tap - tap / 3 * 3 - 1, i.Input.Channels);
        var map = i.Input.At(image, 0, 0) + channel;
        var sum = rows.Weights.X * columns.Mix(buffers.Arena, map + rows.A) + rows.Weights.Y * columns.Mix(buffers.Arena, map + rows.B)
            + (rows.Weights.Z * columns.Mix(buffers.Arena, map + rows.C) + rows.Weights.W * columns.Mix(buffers.Arena, map + rows.D));
        buffers.Arena[i.Output.Offset + tap * i.TapStride + index] = sum;
    }

    /// <summary>Along one axis, what an upsampled pixel is mixed from: from where, and how much of it.</summary>
    private readonly record struct Pair(int First, int Second, float FirstWeight, float SecondWeight)
    {
        public static Pair Of(Interpolation interpolation, int output, int inputs, float scale, int stride)
        {
            var isInside = output >= 0 && output < 2 * inputs;
            var position = Upsample2x.Position.Of(interpolation, isInside ? output : 0, inputs, scale);
            return new(
                position.First * stride,
                position.Second * stride,
                isInside ? 1f - position.Weight : 0f,
                isInside ? position.Weight : 0f);
        }

        /// <summary>The pixel of a map that is mixed from these rows and from columns.</summary>
        public float Mix(ArrayView<float> arena, int map, Pair columns) =>
            FirstWeight * columns.Mix(arena, map + First) + SecondWeight * columns.Mix(arena, map + Second);

        private float Mix(ArrayView<float> arena, int row) => FirstWeight * arena[row + First] + SecondWeight * arena[row + Second];
    }

    /// <summary>
    /// Along one axis, the upsampled pixels 2p − 1 to 2p + 2 that an input p is mixed into: how much of it, and where the tap takes them.
    /// </summary>
    private readonly record struct Four(int A, int B, int C, int D, Float4 Weights)
    {
        public static Four Of(Interpolation interpolation, int input, int inputs, int tap, int stride)
        {
            int first = 2 * input - 1, last = 2 * inputs - 1;
            var scale = Upsample2x.Position.Scale(inputs);
            return new(
                Clamp(first - tap, last) * stride,
                Clamp(first + 1 - tap, last) * stride,
                Clamp(first + 2 - tap, last) * stride,
                Clamp(first + 3 - tap, last) * stride,
                new()
                {
                    X = Weight(interpolation, input, inputs, first, tap, scale),
                    Y = Weight(interpolation, input, inputs, first + 1, tap, scale),
                    Z = Weight(interpolation, input, inputs, first + 2, tap, scale),
                    W = Weight(interpolation, input, inputs, first + 3, tap, scale),
                });
        }

        public float Mix(ArrayView<float> arena, int row) =>
            Weights.X * arena[row + A] + Weights.Y * arena[row + B] + (Weights.Z * arena[row + C] + Weights.W * arena[row + D]);

        private static float Weight(Interpolation interpolation, int input, int inputs, int output, int tap, float scale)
        {
            var last = 2 * inputs - 1;
            var weight = Upsample2x.Position.Of(interpolation, Clamp(output, last), inputs, scale).WeightOf(input);
            return Clamp(output, last) == output && Clamp(output - tap, last) == output - tap ? weight : 0f;
        }

        private static int Clamp(int value, int last) => IntrinsicMath.Max(0, IntrinsicMath.Min(value, last));
    }
}
