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
        foreach (var first in All<Conv3x3>())
        {
            var conv = first.Operands;
            if (Users(conv.Output) is not [_, Instruction<MaxPool2x2> { Operands: var pool } second] || pool.Input.Offset != conv.Output.Offset)
                continue;
            Replace(first, PooledConv3x3.Of(conv.Input, conv.Weights, conv.Bias, pool.Output, pool.Argmax, conv.Activation), second);
            return true;
        }

        return false;
    }

    /// <summary>The gradient of a pooled map that only that of a convolution's weights is made of is not spread out.</summary>
    private bool PooledWeightGradients()
    {
        foreach (var first in All<MaxPool2x2Backward>())
        {
            var pool = first.Operands;
            if (Users(pool.InputGradient) is not [_, Instruction<Conv3x3BackwardWeights> { Operands: var conv } second])
                continue;
            Replace(second, PooledConv3x3BackwardWeights.Of(pool.OutputGradient, pool.Argmax, conv.Saved, conv.Target), first);
            return true;
        }

        return false;
    }

    /// <summary>An upsampling and the convolution that reads it change places, forward and backward.</summary>
    private bool UpsampledConvolution()
    {
        foreach (var up in All<Upsample2x>())
        {
            var upsample = up.Operands;
            var users = Users(upsample.Output);
            if (users is not [_, Instruction<Conv3x3> { Operands: var conv }, ..] || conv.Input.Offset != upsample.Output.Offset)
                continue;
            var (x, y) = (upsample.Input, conv.Output);
            // Forward alone, as in an evaluation, or with the gradients of the weights, and of the input unless nobody needs that.
            var weights = users.ElementAtOrDefault(2) as Instruction<Conv3x3BackwardWeights>;
            var input = users.ElementAtOrDefault(3) as Instruction<Conv3x3>;
            if (users.Count > 4 || (users.Count > 2 && weights is null) || (users.Count > 3 && input?.Operands.Saved.Offset != upsample.Output.Offset))
                continue;
            var others = input is null ? [] : Users(input.Operands.Output);
            var down = others.ElementAtOrDefault(1) as Instruction<Upsample2xBackward>;
            if (others.Count > 2 || (others.Count == 2 && down is null))
                continue;

            // Another program may have it already.
            if (!_products.TryGetValue(upsample.Output.Offset, out var products))
                _products.Add(upsample.Output.Offset, products = space.Map(x.Height, x.Width, y.Channels, 9));
            var stride = checked(space.BatchSize * products.Size);
            Replace(up, UpsampledConv3x3Project.Of(x, conv.Weights, products, stride));
            Replace(users[1], UpsampledConv3x3Interpolate.Of(products, stride, conv.Bias, y, conv.Activation, upsample.Interpolation));
            if (weights is not null)
            {
                // z is not needed any more, and its gradient takes its place.
                var collect = UpsampledConv3x3InterpolateBackward.Of(weights.Operands.OutputGradient, products, stride, upsample.Interpolation);
                _program.Insert(_program.IndexOf(weights), collect);
                Replace(weights, UpsampledConv3x3BackwardWeights.Of(products, stride, x, weights.Operands.Target));
            }

            if (down is not null)
            {
                var (gradient, derivative) = (down.Operands.InputGradient, down.Operands.Derivative);
                Replace(down, UpsampledConv3x3BackwardInput.Of(products, stride, input!.Operands.Weights, gradient, x, derivative), input);
            }
            else if (input is not null)
            {
                _program.Remove(input);
            }

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
        foreach (var update in All<Sgd>())
        {
            var sgd = update.Operands;
            var stored = sgd.Gradients;
            var dense = All<DenseBackwardWeights>().Find(instruction => instruction.Operands.Gradients == stored.Offset);
            if (dense is null || stored.MaximalNorm > 0)
                continue;
            var weights = dense.Operands;
            int k = weights.Saved.Size, n = weights.OutputGradient.Size, length = n * (k + 1);
            if (IsUsed(stored.Offset, length, dense, update))
                continue;
            var back = All<DenseBackwardInput>().Find(instruction =>
                instruction.Operands.Weights == sgd.Parameters && instruction.Operands.OutputGradient.Offset == weights.OutputGradient.Offset);
            var input = back?.Operands ?? default;
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

    private List<Instruction<T>> All<T>()
        where T : unmanaged, IOperation<T> => [.. _program.OfType<Instruction<T>>()];

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
