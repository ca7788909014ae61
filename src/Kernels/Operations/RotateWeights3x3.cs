using System.Runtime.CompilerServices;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Threads;
using ILGPU;

namespace AutoencoderGpu.Kernels.Operations;

/// <summary>
/// The weights of a 3×3 convolution as the gradient of its input needs them, rotated by 180° and with Cin and Cout exchanged:
/// w (3, 3, Cin, Cout) to rotated[r, s, n, c] = w[2−r, 2−s, c, n], (3, 3, Cout, Cin).
/// </summary>
public struct RotateWeights3x3 : IOperation<RotateWeights3x3>
{
    internal int Weights;
    internal int Rotated;
    internal int InputChannels;
    internal int OutputChannels;

    /// <summary>Rotates.</summary>
    /// <param name="weights">Arena offset of w.</param>
    /// <param name="rotated">Arena offset of the result; overwritten.</param>
    /// <param name="inputChannels">Cin.</param>
    /// <param name="outputChannels">Cout.</param>
    public static Instruction Of(int weights, int rotated, int inputChannels, int outputChannels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inputChannels, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(outputChannels, 1);
        return new Instruction<RotateWeights3x3>(
            new() { Weights = weights, Rotated = rotated, InputChannels = inputChannels, OutputChannels = outputChannels });
    }

    static IReadOnlyList<IKernel<RotateWeights3x3>> IOperation<RotateWeights3x3>.Kernels { get; } =
        [PortableKernel<RotateWeights3x3>.Elementwise("RotateWeights3x3", Kernel, (i, _) => i.Count)];

    private readonly int Count => 9 * InputChannels * OutputChannels;

    static void IOperation<RotateWeights3x3>.Visit(ref RotateWeights3x3 i, OperandVisitor operands)
    {
        operands.Read(ref i.Weights, i.Count);
        operands.Write(ref i.Rotated, i.Count);
    }

    static Cost IOperation<RotateWeights3x3>.Cost(in RotateWeights3x3 i, int batch) => new(0, 8L * i.Count);

    internal static void Kernel(RotateWeights3x3 i, Buffers buffers, MiniBatch batch)
    {
        var index = Grid.GlobalIndex.X;
        int cin = i.InputChannels, cout = i.OutputChannels;
        if (index >= 9 * cin * cout)
            return;
        // ILGPU leaves a remainder as a division.
        int tap = index / (cin * cout), rest = index - tap * cin * cout, n = rest / cin, c = rest - n * cin;
        buffers.Arena[i.Rotated + index] = buffers.Arena[i.Weights + ((8 - tap) * cin + c) * cout + n];
    }

    /// <summary>Workers take rows of the result, four of a tap at a time: what four of them read lies in one cache line.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Run(in RotateWeights3x3 i, in HostBuffers buffers, Worker worker)
    {
        int cin = i.InputChannels, cout = i.OutputChannels, blocks = (cout + 3) / 4;
        foreach (var item in worker.Items(9 * blocks))
        {
            int tap = item / blocks, n = (item - tap * blocks) * 4;
            var source = buffers.Arena + i.Weights + (8 - tap) * cin * cout + n;
            var target = buffers.Arena + i.Rotated + (tap * cout + n) * cin;
            for (; cout - n < 4 && n < cout; n++, source++, target += cin)
            {
                for (var c = 0; c < cin; c++)
                    target[c] = source[c * cout];
            }

            if (n == cout)
                continue;
            float* target1 = target + cin, target2 = target1 + cin, target3 = target2 + cin;
            for (var c = 0; c < cin; c++, source += cout)
                (target[c], target1[c], target2[c], target3[c]) = (source[0], source[1], source[2], source[3]);
        }
    }

    static void IOperation<RotateWeights3x3>.Run<V>(in RotateWeights3x3 i, in HostBuffers buffers, in MiniBatch batch, Worker worker) =>
        Run(i, buffers, worker);
}
