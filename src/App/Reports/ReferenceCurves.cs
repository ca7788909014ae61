namespace AutoencoderGpu.App.Reports;

/// <summary>
/// The losses of the run that this project reproduces: PyTorch, 2020, learning rate 1.0, mini-batches of 10, 10 epochs.
/// </summary>
public static class ReferenceCurves
{
    /// <summary>The fully connected model's ten epochs, as <c>fc</c>; best test loss 0.498816.</summary>
    public static IReadOnlyList<EpochRecord> Fc { get; } = Build("fc", 53,
    [
        (0.598312, 0.548468),
        (0.528815, 0.522561),
        (0.512025, 0.513970),
        (0.504938, 0.507895),
        (0.500676, 0.505687),
        (0.498036, 0.502134),
        (0.496198, 0.500638),
        (0.494785, 0.499595),
        (0.493443, 0.499566),
        (0.492472, 0.498816),
    ]);

    /// <summary>The convolutional model's ten epochs, as <c>conv</c>; best test loss 0.476074.</summary>
    public static IReadOnlyList<EpochRecord> Conv { get; } = Build("conv", 251,
    [
        (0.497486, 0.484004),
        (0.476337, 0.481618),
        (0.473923, 0.479510),
        (0.472720, 0.478481),
        (0.471937, 0.477705),
        (0.471391, 0.477501),
        (0.470948, 0.477117),
        (0.470587, 0.476888),
        (0.470282, 0.477069),
        (0.470032, 0.476074),
    ]);

    /// <summary>The curve of a model.</summary>
    /// <param name="model"><c>fc</c> or <c>conv</c>.</param>
    /// <returns>Its epochs, none for any other model.</returns>
    public static IReadOnlyList<EpochRecord> Of(string model) => model switch
    {
        "fc" => Fc,
        "conv" => Conv,
        _ => [],
    };

    /// <summary>The reference's epoch, or null for an epoch or model that it does not have.</summary>
    public static EpochRecord? Of(string model, int epoch) => Of(model).FirstOrDefault(record => record.Epoch == epoch);

    // The time of an epoch is known only on average.
    private static EpochRecord[] Build(string model, double seconds, (double Train, double Test)[] losses) =>
        [.. losses.Select((loss, i) => new EpochRecord(model, i + 1, loss.Train, loss.Test, 1.0, seconds))];
}
