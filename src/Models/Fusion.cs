using System.Diagnostics.CodeAnalysis;
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Instructions;
using AutoencoderGpu.Kernels.Operations;

namespace AutoencoderGpu.Models;

/// <summary>
/// Rewrites neighbouring instructions of a program into one that does not store what passes between them. A rule applies only where nobody else
/// reads what it removes, so whatever reads a gradient, such as clipping or another optimiser, switches it off by being there.
/// </summary>
/// <param name="space">Where the operands of all programs are.</param>
internal sealed class Fusion(ArenaSpace space)
{
    private readonly Dictionary<int, FeatureMap> _products = [];
    private List<Instruction> _program = [];

    /// <summary>The program after all rules.</summary>
    /// <param name="program">Plain instructions, with provisional offsets.</param>
    public List<Instruction> Fuse(IEnumerable<Instruction> program)
    {
        _program = [.. program];
        while (UpsampledConvolution() || PooledConvolution() || PooledWeightGradients() || DenseUpdate() || Unused())
        {
        }

        return _program;
    }

    /// <summary>A convolution whose map only a pooling reads pools its sums itself.</summary>
    private bool PooledConvolution()
    {
        foreach (var (first, conv) in All<Conv3x3>())
        {
            if (Users(conv.Output) is not [_, var second] || !Is<MaxPool2x2>(second, out var pool) || pool.Input.Offset != conv.Output.Offset)
                continue;
            Replace(first, PooledConv3x3.Of(conv.Input, conv.Weights, conv.Bias, pool.Output, pool.Argmax, conv.Activation), second);
            return true;
        }

        return false;
    }

    /// <summary>The gradient of a pooled map that only that of a convolution's weights is made of is not spread out.</summary>
    private bool PooledWeightGradients()
    {
        foreach (var (first, pool) in All<MaxPool2x2Backward>())
        {
            if (Users(pool.InputGradient) is not [_, var second] || !Is<Conv3x3BackwardWeights>(second, out var conv))
                continue;
            Replace(second, PooledConv3x3BackwardWeights.Of(pool.OutputGradient, pool.Argmax, conv.Saved, conv.Target), first);
            return true;
        }

        return false;
    }

    /// <summary>An upsampling and the convolution that reads it change places, forward and backward.</summary>
    private bool UpsampledConvolution()
    {
        foreach (var (up, upsample) in All<Upsample2x>())
        {
            var users = Users(upsample.Output);
            if (users.Count < 2 || !Is<Conv3x3>(users[1], out var conv) || conv.Input.Offset != upsample.Output.Offset)
                continue;
            var (x, y) = (upsample.Input, conv.Output);
            // Forward alone, as in an evaluation, or with the gradients of the weights, and of the input unless nobody needs that.
            Conv3x3BackwardWeights weights = default;
            Conv3x3 input = default;
            Upsample2xBackward down = default;
            if (users.Count > 2 && !Is(users[2], out weights))
                continue;
            if (users.Count > 3 && (!Is(users[3], out input) || input.Saved.Offset != upsample.Output.Offset))
                continue;
            var others = users.Count > 3 ? Users(input.Output) : [];
            if (users.Count > 4 || others.Count > 2 || (others.Count == 2 && !Is(others[1], out down)))
                continue;

            // Another program may have it already.
            if (!_products.TryGetValue(upsample.Output.Offset, out var products))
                _products.Add(upsample.Output.Offset, products = space.Map(x.Height, x.Width, y.Channels, 9));
            var stride = checked(space.BatchSize * products.Size);
            Replace(up, UpsampledConv3x3Project.Of(x, conv.Weights, products, stride));
            Replace(users[1], UpsampledConv3x3Interpolate.Of(products, stride, conv.Bias, y, conv.Activation, upsample.Interpolation));
            if (users.Count > 2)
            {
                // z is not needed any more, and its gradient takes its place.
                var collect = UpsampledConv3x3InterpolateBackward.Of(weights.OutputGradient, products, stride, upsample.Interpolation);
                _program.Insert(_program.IndexOf(users[2]), collect);
                Replace(users[2], UpsampledConv3x3BackwardWeights.Of(products, stride, x, weights.Target));
            }

            if (others.Count == 2)
                Replace(others[1], UpsampledConv3x3BackwardInput.Of(products, stride, input.Weights, down.InputGradient, x, down.Derivative), others[0]);
            else if (others.Count == 1)
                _program.Remove(others[0]);
            return true;
        }

        return false;
    }

    /// <summary>
    /// The first of the parameters in a run of plain SGD, if they are a dense layer's, are updated where their gradient arises, which is not stored;
    /// the run goes on behind them.
    /// </summary>
    private bool DenseUpdate()
    {
        foreach (var (update, sgd) in All<Sgd>())
        {
            var stored = sgd.Gradients;
            var (dense, weights) = All<DenseBackwardWeights>().FirstOrDefault(entry => entry.Operands.Gradients == stored.Offset);
            if (dense is null || stored.MaximalNorm > 0)
                continue;
            int k = weights.Saved.Size, n = weights.OutputGradient.Size, length = n * (k + 1);
            if (IsUsed(stored.Offset, length, dense, update))
                continue;
            var (back, input) = All<DenseBackwardInput>().FirstOrDefault(entry =>
                entry.Operands.Weights == sgd.Parameters && entry.Operands.OutputGradient.Offset == weights.OutputGradient.Offset);
            var fused = DenseBackwardUpdate.Of(
                weights.OutputGradient, weights.Saved, sgd.Parameters, sgd.Parameters + n * k, input.InputGradient, input.Derivative);
            if (back is null)
                Replace(dense, fused);
            else
                Replace(back, fused, dense);
            var skipped = ArenaSpace.Aligned(length);
            if (skipped < stored.Count)
                Replace(update, Sgd.Of(sgd.Parameters + skipped, stored.Skip(skipped)));
            else
                _program.Remove(update);
            return true;
        }

        return false;
    }

    /// <summary>What writes only what nobody else looks at is left out, such as the gradient of what a first layer without parameters makes.</summary>
    private bool Unused()
    {
        var unused = _program.FirstOrDefault(instruction =>
        {
            var operands = Operand.Of(instruction);
            var written = operands.Where(operand => operand.Access == Access.Write).ToList();
            return written.Count > 0 && !Operand.HasLosses(instruction) && operands.All(operand => operand.Access != Access.Update) && written.All(operand => operand.IsMap
                ? Users(operand.Offset).Count == 1
                : !IsUsed(operand.Offset, operand.Length, instruction));
        });
        return unused is not null && _program.Remove(unused);
    }

    private IEnumerable<(Instruction Instruction, T Operands)> All<T>()
        where T : unmanaged, IOperation<T>
    {
        foreach (var instruction in _program.ToArray())
        {
            if (Is<T>(instruction, out var operands))
                yield return (instruction, operands);
        }
    }

    private static bool Is<T>(Instruction instruction, [MaybeNullWhen(false)] out T operands)
        where T : unmanaged, IOperation<T>
    {
        operands = instruction is Instruction<T> known ? known.Operands : default;
        return instruction is Instruction<T>;
    }

    private List<Instruction> Users(FeatureMap map) => Users(map.Offset);

    /// <summary>Who reads or writes a map, in the order of the program.</summary>
    private List<Instruction> Users(int offset) =>
        [.. _program.Where(instruction => Operand.Of(instruction).Any(operand => operand.IsMap && operand.Offset == offset))];

    /// <summary>Whether others than some instructions touch a slice.</summary>
    private bool IsUsed(int offset, int length, params ReadOnlySpan<Instruction> but)
    {
        foreach (var instruction in _program)
        {
            if (!but.Contains(instruction) && Operand.Of(instruction).Any(operand => operand.Overlaps(offset, length)))
                return true;
        }

        return false;
    }

    private void Replace(Instruction old, Instruction replacement, Instruction? removed = null)
    {
        _program[_program.IndexOf(old)] = replacement;
        if (removed is not null)
            _program.Remove(removed);
    }

    /// <summary>An operand of an instruction; a class, for lists and queries of classes are compiled already.</summary>
    private sealed record Operand(int Offset, int Length, Access Access, bool IsMap)
    {
        public static List<Operand> Of(Instruction instruction)
        {
            var list = new Listing();
            instruction.Visited(list);
            return list.Operands;
        }

        /// <summary>Whether an instruction writes losses, which the host reads.</summary>
        public static bool HasLosses(Instruction instruction)
        {
            var list = new Listing();
            instruction.Visited(list);
            return list.HasLosses;
        }

        public bool Overlaps(int offset, int length) => !IsMap && Offset < offset + length && offset < Offset + Length;

        private sealed class Listing : OperandVisitor
        {
            public List<Operand> Operands { get; } = [];

            public bool HasLosses { get; private set; }

            public override void Losses() => HasLosses = true;

            protected override void Map(ref FeatureMap map, Access access, Border border, int copies, int distance) =>
                Operands.Add(new(map.Offset, map.Size, access, true));

            protected override void Slice(ref int offset, int length, Access access) => Operands.Add(new(offset, length, access, false));
        }
    }
}
