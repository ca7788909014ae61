namespace AutoencoderGpu.Kernels.Operations;

public static partial class Dense
{
    /// <summary>Rows are images, columns outputs, the depth runs over inputs.</summary>
    internal readonly struct ForwardProduct : ITiledProduct
    {
        public static bool LeftRunsAlongDepth => true;

        public static bool RightRunsAlongDepth => true;

        public static int Rows(in Instruction i, int batch) => batch;

        public static int Columns(in Instruction i) => i.Output.Size;

        public static int Depth(in Instruction i, int batch) => i.Input.Size;

        public static float Left(in Instruction i, in Buffers buffers, int row, int depth) =>
            buffers.Arena[i.Input.Offset + row * i.Input.Size + depth];

        public static float Right(in Instruction i, in Buffers buffers, int depth, int column) =>
            buffers.Arena[i.Weights + column * i.Input.Size + depth];

        public static void Store(in Instruction i, in Buffers buffers, in MiniBatch batch, int row, int column, int split, float sum) =>
            buffers.Arena[i.Output.Offset + row * i.Output.Size + column] =
                Activations.Apply(i.Activation, sum + buffers.Arena[i.Bias + column]);
    }

    /// <summary>Rows are images, columns inputs, the depth runs over outputs.</summary>
    internal readonly struct BackwardInputProduct : ITiledProduct
    {
        public static bool LeftRunsAlongDepth => true;

        public static bool RightRunsAlongDepth => false;

        public static int Rows(in Instruction i, int batch) => batch;

        public static int Columns(in Instruction i) => i.Output.Size;

        public static int Depth(in Instruction i, int batch) => i.Input.Size;

        public static float Left(in Instruction i, in Buffers buffers, int row, int depth) =>
            buffers.Arena[i.Input.Offset + row * i.Input.Size + depth];

        public static float Right(in Instruction i, in Buffers buffers, int depth, int column) =>
            buffers.Arena[i.Weights + depth * i.Saved.Size + column];

        public static void Store(in Instruction i, in Buffers buffers, in MiniBatch batch, int row, int column, int split, float sum)
        {
            var index = row * i.Saved.Size + column;
            var derivative = Activations.Derivative(i.Derivative, buffers.Arena[i.Saved.Offset + index]);
            buffers.Arena[i.Output.Offset + index] = sum * derivative;
        }
    }

    /// <summary>
    /// Rows are outputs, columns inputs, the depth runs over images; the bias is one more column, whose input is always 1.
    /// </summary>
    internal readonly struct UpdateProduct : ITiledProduct
    {
        public static bool LeftRunsAlongDepth => false;

        public static bool RightRunsAlongDepth => false;

        public static int Rows(in Instruction i, int batch) => i.Input.Size;

        public static int Columns(in Instruction i) => i.Saved.Size + 1;

        public static int Depth(in Instruction i, int batch) => batch;

        public static float Left(in Instruction i, in Buffers buffers, int row, int depth) =>
            buffers.Arena[i.Input.Offset + depth * i.Input.Size + row];

        public static float Right(in Instruction i, in Buffers buffers, int depth, int column) =>
            column == i.Saved.Size ? 1f : buffers.Arena[i.Saved.Offset + depth * i.Saved.Size + column];

        public static void Store(in Instruction i, in Buffers buffers, in MiniBatch batch, int row, int column, int split, float sum)
        {
            var parameter = column == i.Saved.Size ? i.Bias + row : i.Weights + row * i.Saved.Size + column;
            buffers.Arena[parameter] -= buffers.LearningRates[batch.From(buffers).Step] * sum;
        }
    }
}
