namespace AutoencoderGpu.Kernels.Operations;

public static partial class PooledConv3x3
{
    /// <summary>As in <see cref="Conv3x3"/>, but rows are the pixels of a window, then of the next one: a thread's four are one window.</summary>
    internal readonly struct Factors : ITiledFactors
    {
        public static bool LeftRunsAlongDepth => true;

        public static bool RightRunsAlongDepth => false;

        public static int Rows(in Instruction i, int batch) => 4 * batch * i.Output.Height * i.Output.Width;

        public static int Columns(in Instruction i) => i.Output.Channels;

        public static int Depth(in Instruction i, int batch) => 9 * i.Input.Channels;

        public static float Left(in Instruction i, in Buffers buffers, int row, int depth) =>
            buffers.Arena[Pixel(i.Input, i.Output, row) + Conv3x3.Tap(i.Input, depth)];

        public static float Right(in Instruction i, in Buffers buffers, int depth, int column) =>
            buffers.Arena[i.Weights + depth * i.Output.Channels + column];
    }

    /// <summary>As in <see cref="Conv3x3"/>, the depth running over the windows' pixels.</summary>
    internal readonly struct BackwardWeightsProduct : ITiledProduct
    {
        public static bool LeftRunsAlongDepth => false;

        public static bool RightRunsAlongDepth => false;

        public static int Rows(in Instruction i, int batch) => 9 * i.Saved.Channels + 1;

        public static int Columns(in Instruction i) => i.Input.Channels;

        public static int Depth(in Instruction i, int batch) => 4 * batch * i.Input.Height * i.Input.Width;

        public static float Left(in Instruction i, in Buffers buffers, int row, int depth) =>
            row == 9 * i.Saved.Channels ? 1f : buffers.Arena[Pixel(i.Saved, i.Input, depth) + Conv3x3.Tap(i.Saved, row)];

        public static float Right(in Instruction i, in Buffers buffers, int depth, int column)
        {
            var window = depth / 4;
            var wins = buffers.Arena[i.Winners.AtPixel(window) + column] == depth - 4 * window;
            return wins ? buffers.Arena[i.Input.AtPixel(window) + column] : 0f;
        }

        public static void Store(in Instruction i, in Buffers buffers, in MiniBatch batch, int row, int column, int split, float sum) =>
            Conv3x3.BackwardWeightsProduct.Store(i, buffers, batch, row, column, split, sum);
    }

    internal static void Kernel(Instruction i, Buffers buffers, MiniBatch batch)
    {
        var tile = TiledProduct.Multiply<Factors>(i, buffers, batch);
        if (tile.Row >= Factors.Rows(i, batch.Count))
            return;
        Store(i, buffers, tile.Row / 4, tile.Column, tile.C0.X, tile.C1.X, tile.C2.X, tile.C3.X);
        Store(i, buffers, tile.Row / 4, tile.Column + 1, tile.C0.Y, tile.C1.Y, tile.C2.Y, tile.C3.Y);
        Store(i, buffers, tile.Row / 4, tile.Column + 2, tile.C0.Z, tile.C1.Z, tile.C2.Z, tile.C3.Z);
        Store(i, buffers, tile.Row / 4, tile.Column + 3, tile.C0.W, tile.C1.W, tile.C2.W, tile.C3.W);
    }

    private static void Store(in Instruction i, in Buffers buffers, int window, int channel, float a, float b, float c, float d)
    {
        if (channel >= i.Output.Channels)
            return;
        var sum = MaxPool2x2.Max(a, b, c, d) + buffers.Arena[i.Bias + channel];
        buffers.Arena[i.Output.AtPixel(window) + channel] = Activations.Apply(i.Activation, sum);
        buffers.Arena[i.Winners.AtPixel(window) + channel] = MaxPool2x2.Winner(a, b, c, d);
    }

    /// <summary>Arena index of a pixel, counted over windows and, row by row, within them.</summary>
    private static int Pixel(in FeatureMap map, in FeatureMap pooled, int index)
    {
        int window = index / 4, position = index - 4 * window;
        return MaxPool2x2.Window(map, pooled, window) + position / 2 * map.RowStride + position % 2 * map.Channels;
    }
}
