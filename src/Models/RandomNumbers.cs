namespace AutoencoderGpu.Models;

/// <summary>What a run draws at random, each from numbers of its own, so that changing one leaves the others as they were.</summary>
public static class RandomNumbers
{
    private const ulong InitialValuesKey = 1;
    private const ulong ShuffleKey = 2;

    /// <summary>Numbers for the initial values of a model's parameters.</summary>
    public static SplitMix64 ForInitialValues(ulong seed) => new(SplitMix64.Combine(seed, InitialValuesKey));

    /// <summary>The order in which an epoch, counted from 1, visits the images.</summary>
    public static int[] OrderOf(ulong seed, int epoch, int images) =>
        new SplitMix64(SplitMix64.Combine(SplitMix64.Combine(seed, ShuffleKey), (ulong)epoch)).Permutation(images);
}
