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

        public static int RowPlace(in Instruction i, int row) => i.Input.Offset + row * i.Input.Size;

        public static int ColumnPlace(in Instruction i, int column) => i.Weights + column * i.Input.Size;

        public static int LeftPlace(in Instruction i, int depth) => depth;

        public static int RightPlace(in Instruction i, int depth) => depth;

        public static float Left(in Instruction i, in Buffers buffers, int row, int depth) => buffers.Arena[row + depth];

        public static float Right(in Instruction i, in Buffers buffers, int depth, int column) => buffers.Arena[column + depth];

        public static int ResultPlace(in Instruction i, int row, int column, int split) =>
            i.Output.Offset + row * i.Output.Size + column;

        public static float Result(in Instruction i, in Buffers buffers, in MiniBatch batch, int row, int column, float sum) =>
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

        public static int RowPlace(in Instruction i, int row) => i.Input.Offset + row * i.Input.Size;

        public static int ColumnPlace(in Instruction i, int column) => i.Weights + column;

        public static int LeftPlace(in Instruction i, int depth) => depth;

        public static int RightPlace(in Instruction i, int depth) => depth * i.Saved.Size;

        public static float Left(in Instruction i, in Buffers buffers, int row, int depth) => buffers.Arena[row + depth];

        public static float Right(in Instruction i, in Buffers buffers, int depth, int column) => buffers.Arena[column + depth];

        public static int ResultPlace(in Instruction i, int row, int column, int split) =>
            i.Output.Offset + row * i.Saved.Size + column;

        public static float Result(in Instruction i, in Buffers buffers, in MiniBatch batch, int row, int column, float sum) =>
            sum * Activations.Derivative(i.Derivative, buffers.Arena[i.Saved.Offset + row * i.Saved.Size + column]);
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

        public static int RowPlace(in Instruction i, int row) => i.Input.Offset + row;

        public static int ColumnPlace(in Instruction i, int column) =>
            column == i.Saved.Size ? TiledProduct.One : i.Saved.Offset + column;

        public static int LeftPlace(in Instruction i, int depth) => depth * i.Input.Size;

        public static int RightPlace(in Instruction i, int depth) => depth * i.Saved.Size;

        public static float Left(in Instruction i, in Buffers buffers, int row, int depth) => buffers.Arena[row + depth];

        public static float Right(in Instruction i, in Buffers buffers, int depth, int column) =>
            column == TiledProduct.One ? 1f : buffers.Arena[column + depth];

        public static int ResultPlace(in Instruction i, int row, int column, int split) =>
            column == i.Saved.Size ? i.Bias + row : i.Weights + row * i.Saved.Size + column;

        public static float Result(in Instruction i, in Buffers buffers, in MiniBatch batch, int row, int column, float sum) =>
            buffers.Arena[ResultPlace(i, row, column, 0)] - buffers.LearningRates[batch.From(buffers).Step] * sum;
    }
}
