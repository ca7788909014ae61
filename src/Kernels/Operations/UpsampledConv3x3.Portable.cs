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

    /// <summary>A thread an output value: nine taps of up to four shares.</summary>
    internal static void SpreadKernel(Instruction i, Buffers buffers, MiniBatch batch)
    {
        var index = Grid.GlobalIndex.X;
        if (index >= batch.Count * i.Output.Size)
            return;
        int pixel = index / i.Output.Channels, channel = index - pixel * i.Output.Channels;
        int row = pixel / i.Output.Width, image = row / i.Output.Height;
        int y = row - image * i.Output.Height, x = pixel - row * i.Output.Width;
        var sum = buffers.Arena[i.Bias + channel];
        for (var r = 0; r < 3; r++)
        {
            if (y + r < 1 || y + r > i.Output.Height)
                continue;
            var vertical = Upsample2x.Position.Of(i.Interpolation, y + r - 1, i.Input.Height);
            for (var s = 0; s < 3; s++)
            {
                if (x + s < 1 || x + s > i.Output.Width)
                    continue;
                var horizontal = Upsample2x.Position.Of(i.Interpolation, x + s - 1, i.Input.Width);
                var map = (3 * r + s) * i.TapStride + channel;
                int top = map + i.Input.At(image, vertical.First, 0), bottom = map + i.Input.At(image, vertical.Second, 0);
                int left = horizontal.First * i.Input.Channels, right = horizontal.Second * i.Input.Channels;
                sum += (1f - vertical.Weight)
                    * ((1f - horizontal.Weight) * buffers.Arena[top + left] + horizontal.Weight * buffers.Arena[top + right]);
                sum += vertical.Weight
                    * ((1f - horizontal.Weight) * buffers.Arena[bottom + left] + horizontal.Weight * buffers.Arena[bottom + right]);
            }
        }

        buffers.Arena[i.Output.AtPixel(pixel) + channel] = Activations.Apply(i.Activation, sum);
    }

    /// <summary>A thread a value of the nine maps, which sums up to 4×4 outputs.</summary>
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
        int down = tap / 3 - 1, right = tap % 3 - 1;
        var sum = 0f;
        // Upsampled pixels p and q, which the tap takes to the output at p − down and q − right.
        for (var p = IntrinsicMath.Max(0, 2 * y - 1); p <= IntrinsicMath.Min(i.Input.Height - 1, 2 * y + 2); p++)
        {
            if (p - down < 0 || p - down >= i.Input.Height)
                continue;
            var vertical = Upsample2x.Position.Of(i.Interpolation, p, i.Output.Height).WeightOf(y);
            for (var q = IntrinsicMath.Max(0, 2 * x - 1); q <= IntrinsicMath.Min(i.Input.Width - 1, 2 * x + 2); q++)
            {
                if (q - right < 0 || q - right >= i.Input.Width)
                    continue;
                var weight = vertical * Upsample2x.Position.Of(i.Interpolation, q, i.Output.Width).WeightOf(x);
                if (weight != 0f)
                    sum += weight * buffers.Arena[i.Input.At(image, p - down, q - right) + channel];
            }
        }

        buffers.Arena[i.Output.Offset + tap * i.TapStride + index] = sum;
    }
}
