using System.Globalization;
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Operations;
using AutoencoderGpu.Models;
using Xunit;

namespace AutoencoderGpu.Tests.Kernels;

/// <summary>An operation's golden values; a name that no test knows is a failure.</summary>
internal sealed class GoldenCase
{
    private readonly IReadOnlyDictionary<string, Tensor> _tensors;

    public GoldenCase(string name)
    {
        (Kind, Interpolation) = name switch
        {
            _ when name.StartsWith("op-dense-", StringComparison.Ordinal) => (typeof(DenseForward), default),
            _ when name.StartsWith("op-conv3x3-", StringComparison.Ordinal) => (typeof(Conv3x3), default),
            _ when name.StartsWith("op-relu-maxpool2x2-", StringComparison.Ordinal) => (typeof(MaxPool2x2), default),
            _ when name.StartsWith("op-upsample2x-bilinear-", StringComparison.Ordinal) => (typeof(Upsample2x), Interpolation.Bilinear),
            _ when name.StartsWith("op-upsample2x-nearest-", StringComparison.Ordinal) => (typeof(Upsample2x), Interpolation.Nearest),
            _ when name.StartsWith("op-leakyrelu0.2-", StringComparison.Ordinal) || name.StartsWith("op-tanh-", StringComparison.Ordinal) =>
                (typeof(Activation), default),
            _ => throw new InvalidDataException($"No test knows the operation of {name}."),
        };
        Activation = name.StartsWith("op-tanh-", StringComparison.Ordinal) ? Activation.Tanh : Activation.LeakyRelu;
        _tensors = Golden.Load(name).Tensors;
        var sizes = name.Split('-').First(part => char.IsAsciiDigit(part[0]));
        Assert.Equal(sizes, string.Join('x', _tensors["input"].Shape.Select(size => size.ToString(CultureInfo.InvariantCulture))));
    }

    public Type Kind { get; }

    public Interpolation Interpolation { get; }

    /// <summary>Of a case that is one.</summary>
    public Activation Activation { get; }

    public int Batch => _tensors["input"].Shape[0];

    public int Channels => _tensors["input"].Shape[1];

    public int Height => _tensors["input"].Shape[2];

    public int Width => _tensors["input"].Shape[3];

    public int Outputs => _tensors["bias"].Shape[0];

    public float[] this[string tensor] => _tensors[tensor].Values;
}
