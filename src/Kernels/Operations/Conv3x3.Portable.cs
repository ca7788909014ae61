using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

public static partial class Conv3x3
{
    /// <summary>Rows are pixels, columns output channels, the depth runs over window and input channels.</summary>
    internal readonly struct Product : ITiledProduct
    {
        public static bool LeftRunsAlongDepth => true;

        public static bool RightRunsAlongDepth => false;

        public static int Rows(in Instruction i, int batch) => batch * i.Output.Height * i.Output.Width;

        public static int Columns(in Instruction i) => i.Output.Channels;

        public static int Depth(in Instruction i, int batch) => 9 * i.Input.Channels;

        public static int RowPlace(in Instruction i, int row) => Window(i.Input, i.Input.AtPixel(row));

        public static int ColumnPlace(in Instruction i, int column) => i.Weights + column;

        public static int LeftPlace(in Instruction i, int depth) => Tap(i.Input, depth);

        public static int RightPlace(in Instruction i, int depth) => depth * i.Output.Channels;

        public static float Left(in Instruction i, in Buffers buffers, int row, int depth) => buffers.Arena[row + depth];

        public static float Right(in Instruction i, in Buffers buffers, int depth, int column) => buffers.Arena[column + depth];

        public static int ResultPlace(in Instruction i, int row, int column, int split) => i.Output.AtPixel(row) + column;

        public static float Result(in Instruction i, in Buffers buffers, in MiniBatch batch, int row, int column, float sum)
        {
            if (i.Bias >= 0)
                sum += buffers.Arena[i.Bias + column];
            sum = Activations.Apply(i.Activation, sum);
            if (i.Derivative != Activation.None)
                sum *= Activations.Derivative(i.Derivative, buffers.Arena[i.Saved.AtPixelOf(i.Output, row) + column]);
            return sum;
        }
    }

    /// <summary>
    /// Rows are the window's inputs and, last, the constant 1 of the bias; columns are output channels, the depth runs over pixels.
    /// </summary>
    internal readonly struct BackwardWeightsProduct : ITiledProduct
    {
        public static bool LeftRunsAlongDepth => false;

        public static bool RightRunsAlongDepth => false;

        public static int Rows(in Instruction i, int batch) => 9 * i.Saved.Channels + 1;

        public static int Columns(in Instruction i) => i.Input.Channels;

        public static int Depth(in Instruction i, int batch) => batch * i.Input.Height * i.Input.Width;

        public static int RowPlace(in Instruction i, int row) =>
            row == 9 * i.Saved.Channels ? TiledProduct.One : Tap(i.Saved, row);

        public static int ColumnPlace(in Instruction i, int column) => column;

        public static int LeftPlace(in Instruction i, int depth) => Window(i.Saved, i.Saved.AtPixelOf(i.Input, depth));

        public static int RightPlace(in Instruction i, int depth) => i.Input.AtPixel(depth);

        public static float Left(in Instruction i, in Buffers buffers, int row, int depth) =>
            row == TiledProduct.One ? 1f : buffers.Arena[row + depth];

        public static float Right(in Instruction i, in Buffers buffers, int depth, int column) => buffers.Arena[column + depth];

        public static int ResultPlace(in Instruction i, int row, int column, int split) =>
            i.Gradients + split * i.SplitStride + row * i.Input.Channels + column;

        public static float Result(in Instruction i, in Buffers buffers, in MiniBatch batch, int row, int column, float sum) => sum;
    }

    internal static void RotateKernel(Instruction i, Buffers buffers, MiniBatch batch)
    {
        var index = Grid.GlobalIndex.X;
        int cin = i.Input.Channels, cout = i.Output.Channels;
        if (index >= 9 * cin * cout)
            return;
        // ILGPU leaves a remainder as a division.
        int tap = index / (cin * cout), rest = index - tap * cin * cout, n = rest / cin, c = rest - n * cin;
        buffers.Arena[i.Output.Offset + index] = buffers.Arena[i.Input.Offset + ((8 - tap) * cin + c) * cout + n];
    }

    /// <summary>Arena index of the first input of a pixel's window, from that of the pixel.</summary>
    internal static int Window(in FeatureMap map, int pixel) => pixel - map.RowStride - map.Channels;

    /// <summary>From the first input of a window to another; <paramref name="depth"/> counts (3, 3, C), row-major.</summary>
    internal static int Tap(in FeatureMap map, int depth) =>
        depth + depth / (3 * map.Channels) * (map.RowStride - 3 * map.Channels);
}
