using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

public static partial class PooledConv3x3
{
    internal const int BackwardWeightsGroup = Lanes * GroupChannels;

    private const int Taps = 9;
    private const int Sums = Taps + 1;
    private const int Lanes = 8;
    private const int GroupChannels = 32;

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

    internal static Index3D BackwardWeightsGrid(in Instruction i) =>
        new((i.Input.Channels + GroupChannels - 1) / GroupChannels, i.Saved.Channels, Math.Max(1, i.Splits));

    /// <summary>
    /// A group's sums are those of 32 output channels and one input channel over a split's windows; a thread's those of one output
    /// channel over every eighth window. Only a window's winner has a gradient: a product over all pixels, as of a convolution
    /// without pooling, would multiply three zeros of four, and with the one input channel of an image leave most of a tile empty.
    /// </summary>
    internal static void BackwardWeightsKernel(Instruction i, Buffers buffers, MiniBatch batch)
    {
        // (window lane, tap or bias, channel)
        var memory = SharedMemory.Allocate<float>(Lanes * Sums * GroupChannels);
        int thread = Group.IdxX, lane = thread / GroupChannels, side = thread - lane * GroupChannels;
        int cin = i.Saved.Channels, cout = i.Input.Channels, firstChannel = Grid.IdxX * GroupChannels;
        int channel = IntrinsicMath.Min(firstChannel + side, cout - 1), windows = batch.Count * i.Input.Height * i.Input.Width;
        var splitWindows = (windows + Grid.DimZ - 1) / Grid.DimZ;
        int start = Grid.IdxZ * splitWindows, end = IntrinsicMath.Min(windows, start + splitWindows);
        WindowSums sums = default;
        for (var window = start + lane; window < end; window += 4 * Lanes)
        {
            // Four at once, since each is two reads after another; a window outside is the last one again, times 0.
            var a = Winner.Of(i, buffers, window, end, channel);
            var b = Winner.Of(i, buffers, window + Lanes, end, channel);
            var c = Winner.Of(i, buffers, window + 2 * Lanes, end, channel);
            var d = Winner.Of(i, buffers, window + 3 * Lanes, end, channel);
            sums = sums.Plus(i, buffers, a, b, c, d);
        }

        var own = memory.SubView(lane * Sums * GroupChannels + side);
        own[0] = sums.Top.A;
        own[GroupChannels] = sums.Top.B;
        own[2 * GroupChannels] = sums.Top.C;
        own[3 * GroupChannels] = sums.Middle.A;
        own[4 * GroupChannels] = sums.Middle.B;
        own[5 * GroupChannels] = sums.Middle.C;
        own[6 * GroupChannels] = sums.Bottom.A;
        own[7 * GroupChannels] = sums.Bottom.B;
        own[8 * GroupChannels] = sums.Bottom.C;
        own[9 * GroupChannels] = sums.Bias;
        Group.Barrier();
        if (firstChannel + side >= cout)
            return;
        var gradients = i.Gradients + Grid.IdxZ * i.SplitStride + channel;
        for (var tap = lane; tap < Sums; tap += Lanes)
        {
            // The bias's gradient comes from the groups of the first input channel.
            if (tap == Taps && Grid.IdxY > 0)
                break;
            var total = 0f;
            for (var other = 0; other < Lanes; other++)
                total += memory[(other * Sums + tap) * GroupChannels + side];
            buffers.Arena[gradients + (tap == Taps ? Taps * cin : tap * cin + Grid.IdxY) * cout] = total;
        }
    }

    /// <summary>Arena index of a pixel, counted over windows and, row by row, within them.</summary>
    private static int Pixel(in FeatureMap map, in FeatureMap pooled, int index)
    {
        int window = index / 4, position = index - 4 * window;
        return MaxPool2x2.Window(map, pooled, window) + (position >> 1) * map.RowStride + (position & 1) * map.Channels;
    }

    /// <summary>A window's gradient, and the first input of the winner's window of the convolution.</summary>
    private readonly record struct Winner(float Gradient, int Place)
    {
        public static Winner Of(in Instruction i, in Buffers buffers, int window, int end, int channel)
        {
            int inside = IntrinsicMath.Min(window, end - 1), pixel = MaxPool2x2.Window(i.Saved, i.Input, inside);
            var gradient = buffers.Arena[i.Input.AtPixel(inside) + channel];
            var position = (int)buffers.Arena[i.Winners.AtPixelOf(i.Input, inside) + channel];
            return new(
                window < end ? gradient : 0f,
                Conv3x3.Window(i.Saved, pixel + (position >> 1) * i.Saved.RowStride + (position & 1) * i.Saved.Channels) + Grid.IdxY);
        }
    }

    /// <summary>Sums over windows for each tap and for the bias.</summary>
    private readonly record struct WindowSums(Three Top, Three Middle, Three Bottom, float Bias)
    {
        public WindowSums Plus(in Instruction i, in Buffers buffers, Winner a, Winner b, Winner c, Winner d)
        {
            int stride = i.Saved.RowStride, channels = i.Saved.Channels;
            return new(
                Top.Plus(buffers.Arena, 0, channels, a, b, c, d),
                Middle.Plus(buffers.Arena, stride, channels, a, b, c, d),
                Bottom.Plus(buffers.Arena, 2 * stride, channels, a, b, c, d),
                Bias + a.Gradient + b.Gradient + (c.Gradient + d.Gradient));
        }
    }

    /// <summary>Those of a row's taps.</summary>
    private readonly record struct Three(float A, float B, float C)
    {
        public Three Plus(ArrayView<float> arena, int row, int channels, Winner a, Winner b, Winner c, Winner d) => new(
            A + Taken(arena, row, a, b, c, d),
            B + Taken(arena, row + channels, a, b, c, d),
            C + Taken(arena, row + 2 * channels, a, b, c, d));

        private static float Taken(ArrayView<float> arena, int tap, Winner a, Winner b, Winner c, Winner d) =>
            a.Gradient * arena[a.Place + tap] + b.Gradient * arena[b.Place + tap]
            + (c.Gradient * arena[c.Place + tap] + d.Gradient * arena[d.Place + tap]);
    }
}
