using AutoencoderGpu.App.Data;
using AutoencoderGpu.App.Reports;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Training;

/// <summary>What a model makes of images.</summary>
internal static class Reconstructions
{
    private const int ImagesPerClass = 2;

    /// <summary>The reconstructions of images, in their order.</summary>
    /// <param name="executor">Where the model is.</param>
    /// <param name="model">With weights.</param>
    /// <param name="images">Any number; labels are kept.</param>
    public static IReadOnlyList<Reconstruction> Of(Executor executor, Model model, ImageSet images)
    {
        using var feed = executor.CreateFeed(images.Pixels, images.Size, model.BatchSize);
        var results = new List<Reconstruction>();
        for (var step = 0; step < feed.Steps; step++)
        {
            var outputs = model.Reconstruct(feed, step);
            var losses = feed.ReadLosses(step, 1);
            for (var i = 0; i < outputs.Length; i++)
            {
                var image = feed[step].First + i;
                var pixels = images.Pixels.AsSpan(image * images.Size, images.Size).ToArray();
                results.Add(new(pixels, outputs[i], images.Labels[image], losses[i]));
            }
        }

        return results;
    }

    /// <summary>The reconstructions of the first two images of each class.</summary>
    public static IReadOnlyList<Reconstruction> OfTestImages(Executor executor, Model model, ImageSet test)
    {
        int[] chosen = [.. Enumerable.Range(0, test.Count).GroupBy(image => test.Labels[image])
            .OrderBy(group => group.Key).SelectMany(group => group.Take(ImagesPerClass))];
        return Of(executor, model, test with
        {
            Pixels = [.. chosen.SelectMany(image => test.Pixels.AsSpan(image * test.Size, test.Size).ToArray())],
            Labels = [.. chosen.Select(image => test.Labels[image])],
        });
    }
}
