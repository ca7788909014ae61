using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Data;

/// <summary>Images of one shape with their labels.</summary>
/// <param name="Pixels">(Count, Height, Width, Channels) bytes, row-major; 0 is background.</param>
/// <param name="Labels">(Count) classes, 0 to 9.</param>
/// <param name="Height">Rows of an image.</param>
/// <param name="Width">Columns of an image.</param>
/// <param name="Channels">Channels of a pixel.</param>
public sealed record ImageSet(byte[] Pixels, byte[] Labels, int Height, int Width, int Channels = 1)
{
    /// <summary>An image's shape.</summary>
    public Shape Shape => new(Height, Width, Channels);

    /// <summary>Bytes of an image.</summary>
    public int Size => Shape.Size;

    /// <summary>Number of images.</summary>
    public int Count => Labels.Length;

    /// <summary>The first <paramref name="limit"/> images, or all of them when there are fewer or no limit is given.</summary>
    public ImageSet Take(int? limit) => limit is not { } n || n >= Count
        ? this
        : this with { Pixels = Pixels[..(n * Size)], Labels = Labels[..n] };
}

/// <summary>What a run trains and tests on.</summary>
/// <param name="Name">As in <c>--dataset</c>: <c>mnist</c>, <c>synthetic</c>.</param>
/// <param name="Origin">Where it came from, for people: a folder, or "built in".</param>
/// <param name="Train">Images to train on.</param>
/// <param name="Test">Images to test on.</param>
public sealed record DataSet(string Name, string Origin, ImageSet Train, ImageSet Test)
{
    /// <summary>How its bytes are normalised; null where they are to be measured.</summary>
    public Normalisation? Normalisation { get; init; }

    /// <summary>True if it stands in for MNIST, which was neither at hand nor to be fetched; every output must say so.</summary>
    public bool IsFallback { get; init; }
}
