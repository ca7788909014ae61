namespace AutoencoderGpu.Kernels.Operations;

/// <summary>Checks of an instruction's operands; a failure is a mistake in a model, never a user's.</summary>
internal static class Shapes
{
    public static void Require(bool holds, string operation, string what, params ReadOnlySpan<FeatureMap> maps)
    {
        if (holds)
            return;
        throw new ArgumentException($"{operation} needs {what}, but its maps are {string.Join(", ", maps.ToArray())}.");
    }

    public static void RequireRange(bool holds, string parameter, double value, string what)
    {
        if (!holds)
            throw new ArgumentOutOfRangeException(parameter, value, what);
    }
}
