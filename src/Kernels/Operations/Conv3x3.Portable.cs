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

        public static float Left(in Instruction i, in Buffers buffers, int row, int depth) =>
            buffers.Arena[i.Input.AtPixel(row) + Tap(i.Input, depth)];

        public static float Right(in Instruction i, in Buffers buffers, int depth, int column) =>
            buffers.Arena[i.Weights + depth * i.Output.Channels + column];

        public static void Store(in Instruction i, in Buffers buffers, in MiniBatch batch, int row, int column, int split, float sum)
        {
            if (i.Bias >= 0)
                sum += buffers.Arena[i.Bias + column];
            sum = Activations.Apply(i.Activation, sum);
            if (i.Derivative != Activation.None)
                sum *= Activations.Derivative(i.Derivative, buffers.Arena[i.Saved.AtPixel(row) + column]);
            buffers.Arena[i.Output.AtPixel(row) + column] = sum;
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

        public static float Left(in Instruction i, in Buffers buffers, int row, int depth) =>
            row == 9 * i.Saved.Channels ? 1f : buffers.Arena[i.Saved.AtPixel(depth) + Tap(i.Saved, row)];

        public static float Right(in Instruction i, in Buffers buffers, int depth, int column) =>
            buffers.Arena[i.Input.AtPixel(depth) + column];

        public static void Store(in Instruction i, in Buffers buffers, in MiniBatch batch, int row, int column, int split, float sum) =>
            buffers.Arena[i.Gradients + split * i.SplitStride + row * i.Input.Channels + column] = sum;
    }

    internal static void RotateKernel(Instruction i, Buffers buffers, MiniBatch batch)
    {
        var index = Grid.GlobalIndex.X;
        int cin = i.Input.Channels, cout = i.Output.Channels;
        if (index >= 9 * cin * cout)
            return;
        int tap = index / (cin * cout), rest = index % (cin * cout);
        int n = rest / cin, c = rest % cin;
        buffers.Arena[i.Output.Offset + index] = buffers.Arena[i.Input.Offset + ((8 - tap) * cin + c) * cout + n];
    }

    /// <summary>From a pixel to an input of its window; <paramref name="depth"/> counts (3, 3, C), row-major.</summary>
    internal static int Tap(in FeatureMap map, int depth)
    {
        var row = depth / (3 * map.Channels);
        return (row - 1) * map.RowStride - map.Channels + depth - row * 3 * map.Channels;
    }
}
