using AutoencoderGpu.Kernels.Instructions;
using ILGPU;

namespace AutoencoderGpu.Kernels.Products;

/// <summary>
/// A matrix product C (M, N) = A (M, D) · B (D, N) whose operands are looked up by an operation: what a dense layer and a
/// convolution differ in, while tiling is the same.
/// </summary>
/// <remarks>
/// Where an element lies is the sum of what its row or column says and of what its depth says. So the divisions that turn an index
/// into a pixel or a tap are done once a row, a column and a depth, and an element costs one addition.
/// </remarks>
internal interface ITiledFactors<TOperation>
    where TOperation : unmanaged
{
    /// <summary>Whether neighbouring depths of A, and not neighbouring rows, are neighbours in memory.</summary>
    static abstract bool LeftRunsAlongDepth { get; }

    /// <summary>Whether neighbouring depths of B, and not neighbouring columns, are neighbours in memory.</summary>
    static abstract bool RightRunsAlongDepth { get; }

    /// <summary>M.</summary>
    static abstract int Rows(in TOperation i, int batch);

    /// <summary>N.</summary>
    static abstract int Columns(in TOperation i);

    /// <summary>D.</summary>
    static abstract int Depth(in TOperation i, int batch);

    /// <summary>What a row says of where A[row, ·] is.</summary>
    static abstract int RowPlace(in TOperation i, int row);

    /// <summary>What a column says of where B[·, column] is.</summary>
    static abstract int ColumnPlace(in TOperation i, int column);

    /// <summary>What a depth says of where A[·, depth] is.</summary>
    static abstract int LeftPlace(in TOperation i, int depth);

    /// <summary>What a depth says of where B[depth, ·] is.</summary>
    static abstract int RightPlace(in TOperation i, int depth);

    /// <summary>A[row, depth] from what <see cref="RowPlace"/> and <see cref="LeftPlace"/> say.</summary>
    static abstract float Left(in TOperation i, in Buffers buffers, int row, int depth);

    /// <summary>B[depth, column] from what <see cref="RightPlace"/> and <see cref="ColumnPlace"/> say.</summary>
    static abstract float Right(in TOperation i, in Buffers buffers, int depth, int column);
}

/// <summary>A product whose results are stored one by one.</summary>
internal interface ITiledProduct<TOperation> : ITiledFactors<TOperation>
    where TOperation : unmanaged
{
    /// <summary>
    /// Arena index of C[row, column], or of the part of it that one of several splits of the depth has summed; −1 where nobody wants it.
    /// </summary>
    static abstract int ResultPlace(in TOperation i, int row, int column, int split);

    /// <summary>What is stored there.</summary>
    static abstract float Result(in TOperation i, in Buffers buffers, in MiniBatch batch, int row, int column, float sum);
}

/// <summary>The portable kernel of every <see cref="ITiledProduct{TOperation}"/>, tiled in shared memory and registers.</summary>
/// <remarks>
/// <para>
/// A group computes 32×32 results, a thread 4×4 of them in registers from two 128-bit reads of shared memory a depth: 16 FMA for 8
/// floats. At a mini-batch of 10 a product is a few dozen such tiles of a depth of hundreds, too few to fill a GPU with and too deep
/// to go through in one row. So four slices of 64 threads each take every fourth 16 of the depth, and their sums are added at
/// the end: a quarter of the steps, each of which costs at least a read of global memory. Larger tiles would read less and
/// leave more of the GPU idle; smaller ones would read more of shared memory than they multiply.
/// </para>
/// <para>
/// A step's operands are fetched into registers while the step before is computed, and change over between two buffers in shared
/// memory, so that one barrier a step is enough. The grid is (row tiles, column tiles, splits of the depth): only its first dimension has room
/// for the pixels of a large mini-batch, the others end at 65,535.
/// </para>
/// </remarks>
internal static class TiledProduct
{
    public const int GroupSize = Slices * SliceSize;

    /// <summary>The place of a row or column of ones, such as a bias is multiplied by; all others are 0 or more.</summary>
    public const int One = -1;

    private const int Tile = 32;
    private const int TileDepth = 16; // of a slice
    private const int Slices = 4;
    private const int SliceSize = 64;
    private const int Side = Tile / 4; // threads along one side of the tile
    private const int RowStep = SliceSize / TileDepth; // from one row that a thread fetches to the next
    private const int Stride = Tile + 4; // keeps 16 bytes of alignment, and neighbouring depths in different banks
    private const int OperandLength = Slices * TileDepth * Stride;
    private const int BufferLength = 2 * OperandLength;

    /// <summary>The portable kernel of an operation that is such a product.</summary>
    /// <param name="name">For people and reports.</param>
    /// <param name="role">What else of a step waits for it.</param>
    /// <param name="splits">Into how many partial sums an instruction's depth is split; one where none is given.</param>
    public static PortableKernel<TOperation> KernelOf<T, TOperation>(
        string name, KernelRole role = KernelRole.Chain, Func<TOperation, int>? splits = null)
        where T : struct, ITiledProduct<TOperation>
        where TOperation : unmanaged =>
        new(name, Kernel<T, TOperation>, GroupSize, (in i, batch) => GridOf<T, TOperation>(i, batch, splits?.Invoke(i) ?? 1)) { Role = role };

    public static Index3D GridOf<T, TOperation>(in TOperation i, int batch, int splits = 1)
        where T : struct, ITiledFactors<TOperation>
        where TOperation : unmanaged =>
        new(Tiles(T.Rows(i, batch)), Tiles(T.Columns(i)), splits);

    public static void Kernel<T, TOperation>(TOperation i, Buffers buffers, MiniBatch batch)
        where T : struct, ITiledProduct<TOperation>
        where TOperation : unmanaged
    {
        var sums = Multiply<T, TOperation>(i, buffers, batch);
        int rows = T.Rows(i, batch.Count), row = sums.Row, last = rows - 1;
        if (row >= rows || sums.Column >= T.Columns(i))
            return;
        // Whatever the results need is read before the first of them is stored, for no read is moved ahead of a store.
        var x = T.Result(i, buffers, batch, row, sums.Column, sums.X);
        var y = T.Result(i, buffers, batch, IntrinsicMath.Min(row + 1, last), sums.Column, sums.Y);
        var z = T.Result(i, buffers, batch, IntrinsicMath.Min(row + 2, last), sums.Column, sums.Z);
        var w = T.Result(i, buffers, batch, IntrinsicMath.Min(row + 3, last), sums.Column, sums.W);
        Store<T, TOperation>(i, buffers, row, sums.Column, x);
        if (row + 1 <= last)
            Store<T, TOperation>(i, buffers, row + 1, sums.Column, y);
        if (row + 2 <= last)
            Store<T, TOperation>(i, buffers, row + 2, sums.Column, z);
        if (row + 3 <= last)
            Store<T, TOperation>(i, buffers, row + 3, sums.Column, w);
    }

    /// <summary>A thread's results, of which some may lie outside of the matrix.</summary>
    public static ResultColumn Multiply<T, TOperation>(in TOperation i, in Buffers buffers, in MiniBatch batch)
        where T : struct, ITiledFactors<TOperation>
        where TOperation : unmanaged
    {
        var memory = SharedMemory.Allocate<Float4>(2 * BufferLength / 4);
        var places = SharedMemory.Allocate<int>(2 * Tile);
        int rows = T.Rows(i, batch.Count), columns = T.Columns(i), depth = T.Depth(i, batch.Count);
        int firstRow = Grid.IdxX * Tile, firstColumn = Grid.IdxY * Tile;
        var splitDepth = (depth + Grid.DimZ - 1) / Grid.DimZ;
        int start = Grid.IdxZ * splitDepth, end = IntrinsicMath.Min(depth, start + splitDepth);

        // Rows and columns outside are those of the edge again: their results are not stored.
        var thread = Group.IdxX;
        if (thread < Tile)
            places[thread] = T.RowPlace(i, IntrinsicMath.Min(firstRow + thread, rows - 1));
        else if (thread < 2 * Tile)
            places[thread] = T.ColumnPlace(i, IntrinsicMath.Min(firstColumn + thread - Tile, columns - 1));
        int slice = thread / SliceSize, lane = thread - slice * SliceSize;
        Share left = Share.Of(T.LeftRunsAlongDepth, lane), right = Share.Of(T.RightRunsAlongDepth, lane);
        int buffer = slice * TileDepth * Stride, next = start + slice * TileDepth;
        var leftPlace = T.LeftPlace(i, IntrinsicMath.Min(next + left.Depth, end - 1));
        var rightPlace = T.RightPlace(i, IntrinsicMath.Min(next + right.Depth, end - 1));
        Group.Barrier();

        Eight<int> rowPlaces = At(places, left.Row), columnPlaces = At(places, Tile + right.Row);
        Eight<float> lefts = default, rights = default;
        if (start < end)
        {
            lefts = FetchLeft<T, TOperation>(i, buffers, rowPlaces, leftPlace);
            rights = FetchRight<T, TOperation>(i, buffers, columnPlaces, rightPlace);
        }

        int threadRow = lane / Side, threadColumn = lane - threadRow * Side;
        Tile4x4 sums = default;
        for (var d = start; d < end; d += Slices * TileDepth)
        {
            // A depth outside is the last one again, times 0.
            Put(memory, buffer + left.Depth * Stride + left.Row, lefts, next + left.Depth < end);
            Put(memory, buffer + OperandLength + right.Depth * Stride + right.Row, rights, true);
            Group.Barrier();
            var isEmpty = next >= end;
            next += Slices * TileDepth;
            if (d + Slices * TileDepth < end)
            {
                lefts = FetchLeft<T, TOperation>(i, buffers, rowPlaces, T.LeftPlace(i, IntrinsicMath.Min(next + left.Depth, end - 1)));
                rights = FetchRight<T, TOperation>(i, buffers, columnPlaces, T.RightPlace(i, IntrinsicMath.Min(next + right.Depth, end - 1)));
            }

            if (!isEmpty)
                sums = MultiplyAdd(memory.SubView(buffer / 4 + threadRow), memory.SubView((buffer + OperandLength) / 4 + threadColumn), sums);
            buffer = buffer < BufferLength ? buffer + BufferLength : buffer - BufferLength;
        }

        // The sums of all slices, (slice, row, column), in the same memory.
        Group.Barrier();
        var target = memory.SubView((slice * Tile + 4 * threadRow) * Side + threadColumn);
        target[0] = sums.Row0;
        target[Side] = sums.Row1;
        target[2 * Side] = sums.Row2;
        target[3 * Side] = sums.Row3;
        Group.Barrier();
        int row4 = thread / Tile, row = 4 * row4, column = thread - row4 * Tile;
        var source = memory.Cast<float>().SubView(row * Tile + column);
        return new()
        {
            Row = firstRow + row,
            Column = firstColumn + column,
            X = SumOfSlices(source, 0),
            Y = SumOfSlices(source, Tile),
            Z = SumOfSlices(source, 2 * Tile),
            W = SumOfSlices(source, 3 * Tile),
        };
    }

    private static Eight<float> FetchLeft<T, TOperation>(in TOperation i, in Buffers buffers, Eight<int> rows, int place)
        where T : struct, ITiledFactors<TOperation>
        where TOperation : unmanaged => new(
            T.Left(i, buffers, rows.A, place), T.Left(i, buffers, rows.B, place),
            T.Left(i, buffers, rows.C, place), T.Left(i, buffers, rows.D, place),
            T.Left(i, buffers, rows.E, place), T.Left(i, buffers, rows.F, place),
            T.Left(i, buffers, rows.G, place), T.Left(i, buffers, rows.H, place));

    private static Eight<float> FetchRight<T, TOperation>(in TOperation i, in Buffers buffers, Eight<int> columns, int place)
        where T : struct, ITiledFactors<TOperation>
        where TOperation : unmanaged => new(
            T.Right(i, buffers, place, columns.A), T.Right(i, buffers, place, columns.B),
            T.Right(i, buffers, place, columns.C), T.Right(i, buffers, place, columns.D),
            T.Right(i, buffers, place, columns.E), T.Right(i, buffers, place, columns.F),
            T.Right(i, buffers, place, columns.G), T.Right(i, buffers, place, columns.H));

    private static Eight<int> At(ArrayView<int> places, int first)
    {
        places = places.SubView(first);
        return new(
            places[0], places[RowStep], places[2 * RowStep], places[3 * RowStep],
            places[4 * RowStep], places[5 * RowStep], places[6 * RowStep], places[7 * RowStep]);
    }

    private static void Put(ArrayView<Float4> memory, int first, Eight<float> values, bool isInside)
    {
        var target = memory.Cast<float>().SubView(first);
        target[0] = isInside ? values.A : 0f;
        target[RowStep] = isInside ? values.B : 0f;
        target[2 * RowStep] = isInside ? values.C : 0f;
        target[3 * RowStep] = isInside ? values.D : 0f;
        target[4 * RowStep] = isInside ? values.E : 0f;
        target[5 * RowStep] = isInside ? values.F : 0f;
        target[6 * RowStep] = isInside ? values.G : 0f;
        target[7 * RowStep] = isInside ? values.H : 0f;
    }

    /// <summary>A slice's depths of one step; written out, for a loop would not be unrolled everywhere.</summary>
    private static Tile4x4 MultiplyAdd(ArrayView<Float4> left, ArrayView<Float4> right, Tile4x4 sums)
    {
        sums = MultiplyAdd4(left, right, 0, sums);
        sums = MultiplyAdd4(left, right, Stride, sums);
        sums = MultiplyAdd4(left, right, 2 * Stride, sums);
        return MultiplyAdd4(left, right, 3 * Stride, sums);
    }

    private static Tile4x4 MultiplyAdd4(ArrayView<Float4> left, ArrayView<Float4> right, int first, Tile4x4 sums) => sums
        .Plus(left[first], right[first])
        .Plus(left[first + Stride / 4], right[first + Stride / 4])
        .Plus(left[first + 2 * Stride / 4], right[first + 2 * Stride / 4])
        .Plus(left[first + 3 * Stride / 4], right[first + 3 * Stride / 4]);

    private static float SumOfSlices(ArrayView<float> sums, int index) =>
        sums[index] + sums[Tile * Tile + index] + (sums[2 * Tile * Tile + index] + sums[3 * Tile * Tile + index]);

    private static void Store<T, TOperation>(in TOperation i, in Buffers buffers, int row, int column, float value)
        where T : struct, ITiledProduct<TOperation>
        where TOperation : unmanaged
    {
        var place = T.ResultPlace(i, row, column, Grid.IdxZ);
        if (place >= 0)
            buffers.Arena[place] = value;
    }

    private static int Tiles(int size) => (size + Tile - 1) / Tile;

    /// <summary>What a thread fetches of a slice's tile of an operand: one depth of every fourth row or column, from the first on.</summary>
    private readonly struct Share
    {
        public int Depth { get; private init; }

        public int Row { get; private init; }

        /// <summary>Neighbouring threads take what are neighbours in memory.</summary>
        public static Share Of(bool alongDepth, int lane)
        {
            // Masks, for ILGPU leaves a remainder as a division.
            return alongDepth
                ? new() { Depth = lane & (TileDepth - 1), Row = lane / TileDepth }
                : new() { Depth = lane / RowStep, Row = lane & (RowStep - 1) };
        }
    }
}

/// <summary>What a thread fetches at once; fields, for not every array ends up in registers.</summary>
internal readonly record struct Eight<T>(T A, T B, T C, T D, T E, T F, T G, T H);

/// <summary>A thread's 4×4 sums, by rows.</summary>
internal readonly record struct Tile4x4(Float4 Row0, Float4 Row1, Float4 Row2, Float4 Row3)
{
    /// <summary>These and the outer product of a column of A and a row of B.</summary>
    public Tile4x4 Plus(Float4 a, Float4 b) => new(
        Float4.MultiplyAdd(a.X, b, Row0), Float4.MultiplyAdd(a.Y, b, Row1), Float4.MultiplyAdd(a.Z, b, Row2), Float4.MultiplyAdd(a.W, b, Row3));
}

/// <summary>Results of four rows, from one on, in one column.</summary>
internal struct ResultColumn
{
    public int Row;
    public int Column;
    public float X;
    public float Y;
    public float Z;
    public float W;
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

    /// <summary>a · b + c.</summary>
    public static float Dot(Float4 a, Float4 b, float c) => a.X * b.X + (a.Y * b.Y + (a.Z * b.Z + (a.W * b.W + c)));

    public static Float4 operator +(Float4 a, Float4 b) => new() { X = a.X + b.X, Y = a.Y + b.Y, Z = a.Z + b.Z, W = a.W + b.W };

    public readonly float Sum => X + Y + (Z + W);
}
