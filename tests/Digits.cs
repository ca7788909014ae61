namespace AutoencoderGpu.Tests;

/// <summary>The images of both published models.</summary>
internal static class Digits
{
    public const int Side = 28;
    public const int Size = Side * Side;
}
