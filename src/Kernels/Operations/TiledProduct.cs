using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// A matrix product C (M, N) = A (M, D) · B (D, N) whose operands are looked up by an operation: what a dense layer and a
/// convolution differ in, while tiling is the same.
/// </summary>
internal interface ITiledFactors
{
    /// <summary>Whether neighbouring depths of A, and not neighbouring rows, are neighbours in memory.</summary>
    static abstract bool LeftRunsAlongDepth { get; }

    /// <summary>Whether neighbouring depths of B, and not neighbouring columns, are neighbours in memory.</summary>
    static abstract bool RightRunsAlongDepth { get; }

    /// <summary>M.</summary>
    static abstract int Rows(in Instruction i, int batch);

    /// <summary>N.</summary>
    static abstract int Columns(in Instruction i);

    /// <summary>D.</summary>
    static abstract int Depth(in Instruction i, int batch);

    /// <summary>A[row, depth].</summary>
    static abstract float Left(in Instruction i, in Buffers buffers, int row, int depth);

    /// <summary>B[depth, column].</summary>
    static abstract float Right(in Instruction i, in Buffers buffers, int depth, int column);
}

/// <summary>A product whose results are stored one by one.</summary>
internal interface ITiledProduct : ITiledFactors
{
    /// <summary>Takes C[row, column], or the part of it that one of several splits of the depth has summed.</summary>
    static abstract void Store(
        in Instruction i, in Buffers buffers, in MiniBatch batch, int row, int column, int split, float sum);
}

/// <summary>The portable kernel of every <see cref="ITiledProduct"/>, tiled in shared memory and registers.</summary>
/// <remarks>
/// A group of 64 threads computes 32×32 results, each thread 4×4 of them in registers from two 128-bit reads of shared memory a
/// depth: 16 FMA for 8 floats. Smaller tiles than a large product would like, since at a mini-batch of 10 a dense layer has ten
/// rows and needs many groups to occupy a GPU. The grid is (row tiles × column tiles, splits of the depth): its other
/// dimensions end at 65,535, which the pixels of a large mini-batch exceed.
/// </remarks>
internal static class TiledProduct
{
    public const int Tile = 32;
    public const int TileDepth = 16;
    public const int GroupSize = 64;

    private const int Threads = Tile / 4; // along one side of the tile

    public static Index3D GridOf<T>(in Instruction i, int batch)
        where T : struct, ITiledFactors =>
        new(Tiles(T.Rows(i, batch)) * Tiles(T.Columns(i)), Math.Max(1, i.Splits), 1);

    public static void Kernel<T>(Instruction i, Buffers buffers, MiniBatch batch)
        where T : struct, ITiledProduct
    {
        var tile = Multiply<T>(i, buffers, batch);
        int rows = T.Rows(i, batch.Count), columns = T.Columns(i);
        StoreRow<T>(i, buffers, batch, rows, columns, tile.Row, tile.Column, tile.C0);
        StoreRow<T>(i, buffers, batch, rows, columns, tile.Row + 1, tile.Column, tile.C1);
        StoreRow<T>(i, buffers, batch, rows, columns, tile.Row + 2, tile.Column, tile.C2);
        StoreRow<T>(i, buffers, batch, rows, columns, tile.Row + 3, tile.Column, tile.C3);
    }

    /// <summary>A thread's 4×4 results, of which some may lie outside of the matrix.</summary>
    public static ResultTile Multiply<T>(in Instruction i, in Buffers buffers, in MiniBatch batch)
        where T : struct, ITiledFactors
    {
        var left = SharedMemory.Allocate<Float4>(TileDepth * Tile / 4);
        var right = SharedMemory.Allocate<Float4>(TileDepth * Tile / 4);
        int rows = T.Rows(i, batch.Count), columns = T.Columns(i), depth = T.Depth(i, batch.Count);
        int rowTile = Grid.IdxX / Tiles(columns), columnTile = Grid.IdxX - rowTile * Tiles(columns);
        int firstRow = rowTile * Tile, firstColumn = columnTile * Tile;
        var split = Grid.IdxY;
        var splitDepth = (depth + Grid.DimY - 1) / Grid.DimY;
        var end = IntrinsicMath.Min(depth, (split + 1) * splitDepth);

        var thread = Group.IdxX;
        int threadRow = thread / Threads, threadColumn = thread % Threads;
        Float4 c0 = default, c1 = default, c2 = default, c3 = default;
        for (var d = split * splitDepth; d < end; d += TileDepth)
        {
            for (var e = thread; e < TileDepth * Tile; e += GroupSize)
            {
                int k = T.LeftRunsAlongDepth ? e % TileDepth : e / Tile, r = T.LeftRunsAlongDepth ? e / TileDepth : e % Tile;
                var inside = d + k < end && firstRow + r < rows;
                left.Cast<float>()[k * Tile + r] = inside ? T.Left(i, buffers, firstRow + r, d + k) : 0f;
            }

            for (var e = thread; e < TileDepth * Tile; e += GroupSize)
            {
                int k = T.RightRunsAlongDepth ? e % TileDepth : e / Tile, c = T.RightRunsAlongDepth ? e / TileDepth : e % Tile;
                var inside = d + k < end && firstColumn + c < columns;
                right.Cast<float>()[k * Tile + c] = inside ? T.Right(i, buffers, d + k, firstColumn + c) : 0f;
            }

            Group.Barrier();
            for (var k = 0; k < TileDepth; k++)
            {
                var a = left[k * Threads + threadRow];
                var b = right[k * Threads + threadColumn];
                c0 = Float4.MultiplyAdd(a.X, b, c0);
                c1 = Float4.MultiplyAdd(a.Y, b, c1);
                c2 = Float4.MultiplyAdd(a.Z, b, c2);
                c3 = Float4.MultiplyAdd(a.W, b, c3);
            }

            Group.Barrier();
        }

        return new()
        {
            Row = firstRow + 4 * threadRow,
            Column = firstColumn + 4 * threadColumn,
            C0 = c0,
            C1 = c1,
            C2 = c2,
            C3 = c3,
        };
    }

    private static void StoreRow<T>(
        in Instruction i, in Buffers buffers, in MiniBatch batch, int rows, int columns, int row, int column, Float4 sums)
        where T : struct, ITiledProduct
    {
        if (row >= rows)
            return;
        var split = Grid.IdxY;
        if (column < columns)
            T.Store(i, buffers, batch, row, column, split, sums.X);
        if (column + 1 < columns)
            T.Store(i, buffers, batch, row, column + 1, split, sums.Y);
        if (column + 2 < columns)
            T.Store(i, buffers, batch, row, column + 2, split, sums.Z);
        if (column + 3 < columns)
            T.Store(i, buffers, batch, row, column + 3, split, sums.W);
    }

    private static int Tiles(int size) => (size + Tile - 1) / Tile;
}

/// <summary>Four rows by four columns of a product.</summary>
internal struct ResultTile
{
    public int Row;
    public int Column;
    public Float4 C0;
    public Float4 C1;
    public Float4 C2;
    public Float4 C3;
}

/// <summary>Four floats, aligned to 16 bytes in shared memory, so that they are read at once.</summary>
internal struct Float4
{
    public float X;
    public float Y;
    public float Z;
    public float W;

    /// <summary>a·b + c; written out, since ILGPU links no fused intrinsic, and contracted to FMA by the GPU's assembler.</summary>
    public static Float4 MultiplyAdd(float a, Float4 b, Float4 c) => new()
    {
        X = a * b.X + c.X,
        Y = a * b.Y + c.Y,
        Z = a * b.Z + c.Z,
        W = a * b.W + c.W,
    };
}
