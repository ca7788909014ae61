namespace AutoencoderGpu.Kernels.Operations;

public static partial class PooledConv3x3
{
    /// <summary>As in <see cref="Conv3x3"/>, but rows are the pixels of a window, then of the next one: a thread's four results are one window.</summary>
    internal readonly struct Factors : ITiledFactors
    {
        public static bool LeftRunsAlongDepth => true;

        public static bool RightRunsAlongDepth => false;

        public static int Rows(in Instruction i, int batch) => 4 * batch * i.Output.Height * i.Output.Width;

        public static int Columns(in Instruction i) => i.Output.Channels;

        public static int Depth(in Instruction i, int batch) => 9 * i.Input.Channels;

        public static int RowPlace(in Instruction i, int row) => Conv3x3.Window(i.Input, Pixel(i.Input, i.Output, row));

        public static int ColumnPlace(in Instruction i, int column) => i.Weights + column;

        public static int LeftPlace(in Instruction i, int depth) => Conv3x3.Tap(i.Input, depth);

        public static int RightPlace(in Instruction i, int depth) => depth * i.Output.Channels;

        public static float Left(in Instruction i, in Buffers buffers, int row, int depth) => buffers.Arena[row + depth];

        public static float Right(in Instruction i, in Buffers buffers, int depth, int column) => buffers.Arena[column + depth];
    }

    /// <summary>As in <see cref="Conv3x3"/>, the depth running over the windows' pixels.</summary>
    internal readonly struct BackwardWeightsProduct : ITiledProduct
    {
        public static bool LeftRunsAlongDepth => false;

        public static bool RightRunsAlongDepth => false;

        public static int Rows(in Instruction i, int batch) => 9 * i.Saved.Channels + 1;

        public static int Columns(in Instruction i) => i.Input.Channels;

        public static int Depth(in Instruction i, int batch) => 4 * batch * i.Input.Height * i.Input.Width;

        public static int RowPlace(in Instruction i, int row) => Conv3x3.BackwardWeightsProduct.RowPlace(i, row);

        public static int ColumnPlace(in Instruction i, int column) => column;

        public static int LeftPlace(in Instruction i, int depth) => Conv3x3.Window(i.Saved, Pixel(i.Saved, i.Input, depth));

        // What the two maps have at a pixel lies at two places; they are the same for all that a thread fetches at once.
        public static int RightPlace(in Instruction i, int depth) => depth;

        public static float Left(in Instruction i, in Buffers buffers, int row, int depth) =>
            Conv3x3.BackwardWeightsProduct.Left(i, buffers, row, depth);

        public static float Right(in Instruction i, in Buffers buffers, int depth, int column)
        {
            var window = depth / 4;
            float gradient = buffers.Arena[i.Input.AtPixel(window) + column], winner = buffers.Arena[i.Winners.AtPixelOf(i.Input, window) + column];
            return winner == depth - 4 * window ? gradient : 0f;
        }

        public static int ResultPlace(in Instruction i, int row, int column, int split) =>
            Conv3x3.BackwardWeightsProduct.ResultPlace(i, row, column, split);

        public static float Result(in Instruction i, in Buffers buffers, in MiniBatch batch, int row, int column, float sum) => sum;
    }

    internal static void Kernel(Instruction i, Buffers buffers, MiniBatch batch)
    {
        var sums = TiledProduct.Multiply<Factors>(i, buffers, batch);
        if (sums.Row >= Factors.Rows(i, batch.Count) || sums.Column >= i.Output.Channels)
            return;
        var window = sums.Row / 4;
        var sum = MaxPool2x2.Max(sums.X, sums.Y, sums.Z, sums.W) + buffers.Arena[i.Bias + sums.Column];
        buffers.Arena[i.Output.AtPixel(window) + sums.Column] = Activations.Apply(i.Activation, sum);
        buffers.Arena[i.Winners.AtPixelOf(i.Output, window) + sums.Column] = MaxPool2x2.Winner(sums.X, sums.Y, sums.Z, sums.W);
    }

    /// <summary>Arena index of a pixel, counted over windows and, row by row, within them.</summary>
    private static int Pixel(in FeatureMap map, in FeatureMap pooled, int index)
    {
        int window = index / 4, position = index - 4 * window;
        return MaxPool2x2.Window(map, pooled, window) + position / 2 * map.RowStride + position % 2 * map.Channels;
    }
}
