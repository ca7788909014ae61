using AutoencoderGpu.Kernels.Instructions;
using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// The gradients of a <see cref="PooledConv3x3"/>'s parameters, as <see cref="Conv3x3BackwardWeights"/> of the gradients that
/// <see cref="MaxPool2x2Backward"/> makes, which are not stored: only the maxima's pixels have any.
/// </summary>
public partial struct PooledConv3x3BackwardWeights : IOperation<PooledConv3x3BackwardWeights>
{
    internal FeatureMap OutputGradient;
    internal FeatureMap Argmax;
    internal FeatureMap Saved;
    internal SplitGradients Target;

    private const int Taps = 9;
    private const int Sums = Taps + 1;
    private const int Lanes = 8;
    private const int GroupChannels = 32;

    /// <summary>The gradients of weights and bias.</summary>
    /// <param name="outputGradient">∂L/∂y times the derivative of f at y, (B, ⌊H/2⌋, ⌊W/2⌋, Cout).</param>
    /// <param name="argmax">As written by the forward pass.</param>
    /// <param name="input">x (B, H, W, Cin), border 1.</param>
    /// <param name="target">Overwritten.</param>
    /// <exception cref="ArgumentException">The maps' shapes do not match.</exception>
    public static Instruction Of(FeatureMap outputGradient, FeatureMap argmax, FeatureMap input, SplitGradients target)
    {
        PooledConv3x3.RequireShapes(input, outputGradient, argmax);
        return new Instruction<PooledConv3x3BackwardWeights>(new() { OutputGradient = outputGradient, Argmax = argmax, Saved = input, Target = target });
    }

    static IReadOnlyList<IKernel<PooledConv3x3BackwardWeights>> IOperation<PooledConv3x3BackwardWeights>.Kernels { get; } =
        [new PortableKernel<PooledConv3x3BackwardWeights>("PooledConv3x3BackwardWeights", Kernel, Lanes * GroupChannels, Groups) { Role = KernelRole.Gradient }];

    static void IOperation<PooledConv3x3BackwardWeights>.Visit(ref PooledConv3x3BackwardWeights i, OperandVisitor operands)
    {
        operands.Read(ref i.OutputGradient);
        operands.Read(ref i.Argmax);
        operands.Read(ref i.Saved, Border.Zeros);
        i.Target = i.Target.Visited(operands, i.Saved.Channels, i.OutputGradient.Channels);
    }

    static Cost IOperation<PooledConv3x3BackwardWeights>.Cost(in PooledConv3x3BackwardWeights i, int batch)
    {
        long windows = (long)batch * i.OutputGradient.Height * i.OutputGradient.Width, cin = i.Saved.Channels, cout = i.OutputGradient.Channels;
        return new(
            (8 * 9 * cin + 1) * windows * cout,
            4 * (batch * (long)i.Saved.Size + 2 * windows * cout + (9 * cin + 1) * cout * i.Target.Splits));
    }

    private static Index3D Groups(in PooledConv3x3BackwardWeights i, int batch) =>
        new((i.OutputGradient.Channels + GroupChannels - 1) / GroupChannels, i.Saved.Channels, i.Target.Splits);

    /// <summary>
    /// A group's sums are those of 32 output channels and one input channel over a split's windows; a thread's those of one output
    /// channel over every eighth window. Only a window's maximum has a gradient: a product over all pixels, as of a convolution
    /// without pooling, would multiply three zeros of four, and with the one input channel of an image leave most of a tile empty.
    /// </summary>
    internal static void Kernel(PooledConv3x3BackwardWeights i, Buffers buffers, MiniBatch batch)
    {
        // (window lane, tap or bias, channel)
        var memory = SharedMemory.Allocate<float>(Lanes * Sums * GroupChannels);
        int thread = Group.IdxX, lane = thread / GroupChannels, side = thread - lane * GroupChannels;
        int cin = i.Saved.Channels, cout = i.OutputGradient.Channels, firstChannel = Grid.IdxX * GroupChannels;
        int channel = IntrinsicMath.Min(firstChannel + side, cout - 1), windows = batch.Count * i.OutputGradient.Height * i.OutputGradient.Width;
        var splitWindows = (windows + Grid.DimZ - 1) / Grid.DimZ;
        int start = Grid.IdxZ * splitWindows, end = IntrinsicMath.Min(windows, start + splitWindows);
        WindowSums sums = default;
        for (var window = start + lane; window < end; window += 4 * Lanes)
        {
            // Four at once, since each is two reads after another; a window outside is the last one again, times 0.
            var a = Maximum.Of(i, buffers, window, end, channel);
            var b = Maximum.Of(i, buffers, window + Lanes, end, channel);
            var c = Maximum.Of(i, buffers, window + 2 * Lanes, end, channel);
            var d = Maximum.Of(i, buffers, window + 3 * Lanes, end, channel);
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
        var gradients = i.Target.Offset + Grid.IdxZ * i.Target.Stride + channel;
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

    /// <summary>A window's gradient, and the first input of the maximum's window of the convolution.</summary>
    private readonly record struct Maximum(float Gradient, int Place)
    {
        public static Maximum Of(in PooledConv3x3BackwardWeights i, in Buffers buffers, int window, int end, int channel)
        {
            int inside = IntrinsicMath.Min(window, end - 1), pixel = MaxPool2x2.Window(i.Saved, i.OutputGradient, inside);
            var gradient = buffers.Arena[i.OutputGradient.AtPixel(inside) + channel];
            var position = (int)buffers.Arena[i.Argmax.AtPixelOf(i.OutputGradient, inside) + channel];
            return new(
                window < end ? gradient : 0f,
                Conv3x3.Window(i.Saved, pixel + (position >> 1) * i.Saved.RowStride + (position & 1) * i.Saved.Channels) + Grid.IdxY);
        }
    }

    /// <summary>Sums over windows for each tap and for the bias.</summary>
    private readonly record struct WindowSums(Three Top, Three Middle, Three Bottom, float Bias)
    {
        public WindowSums Plus(in PooledConv3x3BackwardWeights i, in Buffers buffers, Maximum a, Maximum b, Maximum c, Maximum d)
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
        public Three Plus(ArrayView<float> arena, int row, int channels, Maximum a, Maximum b, Maximum c, Maximum d) => new(
            A + Taken(arena, row, a, b, c, d),
            B + Taken(arena, row + channels, a, b, c, d),
            C + Taken(arena, row + 2 * channels, a, b, c, d));

        private static float Taken(ArrayView<float> arena, int tap, Maximum a, Maximum b, Maximum c, Maximum d) =>
            a.Gradient * arena[a.Place + tap] + b.Gradient * arena[b.Place + tap]
            + (c.Gradient * arena[c.Place + tap] + d.Gradient * arena[d.Place + tap]);
    }
}
