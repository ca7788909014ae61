using AutoencoderGpu.App.Data;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Training;

/// <summary>Whether a device has room for models and their data, found by making them.</summary>
internal sealed class Room(Executor executor, IReadOnlyList<Network> networks, TrainingOptions options, DataSet data, RunFolder folder)
{
    /// <summary>What there is to do, besides smaller mini-batches, where memory does not suffice.</summary>
    public const string Remedy = "--device-memory may allow more, and --accelerator or --device names another device";

    /// <summary>Looks whether each of the models fits by itself.</summary>
    /// <exception cref="UserError">One does not; the message says which mini-batches would.</exception>
    public void Require()
    {
        try
        {
            Make(options);
        }
        catch (AcceleratorException e) when (e.IsOutOfMemory)
        {
            var fit = LargestBatch() is var batch and > 0 ? $"--batch-size {batch} would fit" : "not even --batch-size 1 would fit";
            throw new UserError(ExitCode.NoAccelerator, $"{e.Message}; {fit}, {Remedy}", e);
        }
    }

    /// <summary>The largest mini-batches that fit, to a twentieth; 0 where none do.</summary>
    private int LargestBatch()
    {
        var (fits, tooLarge) = (0, Math.Min(options.BatchSize, Math.Max(data.Train.Count, data.Test.Count)));
        while (tooLarge - fits > Math.Max(1, fits / 20))
        {
            var tried = fits + (tooLarge - fits) / 2;
            try
            {
                Make(options with { BatchSize = tried });
                fits = tried;
            }
            catch (AcceleratorException e) when (e.IsOutOfMemory)
            {
                tooLarge = tried;
            }
        }

        return fits;
    }

    private void Make(TrainingOptions tried)
    {
        foreach (var network in networks)
            new ModelTrainer(executor, network, tried, data, folder).Dispose();
    }
}
