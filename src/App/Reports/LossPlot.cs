using System.Globalization;
using AutoencoderGpu.App.Images;
using ScottPlot;

namespace AutoencoderGpu.App.Reports;

/// <summary>What a loss plot says besides the curves.</summary>
/// <param name="DataSet">For people, such as "MNIST".</param>
/// <param name="LearningRate">Of the run.</param>
/// <param name="BatchSize">Images in a step.</param>
/// <param name="Seed">Of the run.</param>
public sealed record LossPlotOptions(string DataSet, double LearningRate, int BatchSize, ulong Seed)
{
    /// <summary>Whether the data is the built-in stand-in for MNIST, which the plot then says loudly.</summary>
    public bool IsFallback { get; init; }

    /// <summary>The lowest test losses that the models' outputs can reach on this data, each drawn as a line.</summary>
    public IReadOnlyList<double> Floors { get; init; } = [];

    /// <summary>What the losses are.</summary>
    public string LossTitle { get; init; } = "mean squared error";

    /// <summary>Whether to draw the reference run's curves behind those of the same models.</summary>
    public bool ShowReference { get; init; }

    /// <summary>More for the subtitle, such as "stable protocol"; null for nothing.</summary>
    public string? Remark { get; init; }

    internal string Subtitle => string.Create(CultureInfo.InvariantCulture,
        $"{DataSet} · learning rate {RateText.Of(LearningRate)} · mini-batches of {BatchSize} · seed {Seed}")
        + (Remark is null ? "" : $" · {Remark}");
}

/// <summary>Draws <c>loss-curves.png</c>: training and test loss of each model by epoch.</summary>
public static class LossPlot
{
    /// <summary>Pixels from left to right; twice what the plot is meant to be shown at, as is the height.</summary>
    public const int Width = 1600;

    /// <summary>Pixels from top to bottom, unless the legend is long.</summary>
    public const int Height = 1000;

    private const int Margin = 40;
    private const int LeastLegendTop = 860;

    /// <summary>Draws the curves. Losses that are not finite are left out and leave a gap.</summary>
    /// <param name="path">The PNG file, replaced if it exists; its folder must exist.</param>
    /// <param name="epochs">Of one model or more, in any order.</param>
    /// <param name="options">What else the plot says.</param>
    /// <exception cref="UserError">The file cannot be written (<see cref="ExitCode.Failed"/>).</exception>
    public static void Save(string path, IReadOnlyList<EpochRecord> epochs, LossPlotOptions options)
    {
        EpochRecord[][] models = [.. epochs.GroupBy(e => e.Model).Select(m => m.OrderBy(e => e.Epoch).ToArray())];
        IReadOnlyList<EpochRecord>[] references =
            options.ShowReference ? [.. models.Select(m => ReferenceCurves.Of(m[0].Model)).Where(r => r.Count > 0)] : [];
        EpochRecord[] all = [.. epochs, .. references.SelectMany(r => r)];

        using Plot plot = LossAxes.Create(all, options.Floors, options.LossTitle);

        // What is drawn first lies behind.
        var context = new List<CurveStyle>();
        if (references.Length > 0)
        {
            CurveStyle style = LossAxes.Reference("both losses");
            foreach (IReadOnlyList<EpochRecord> reference in references)
            {
                LossAxes.AddCurve(plot, reference, e => e.TrainLoss, style);
                LossAxes.AddCurve(plot, reference, e => e.TestLoss, style);
            }

            context.Add(style);
        }

        context.AddRange(options.Floors.Select(floor => LossAxes.AddFloor(plot, floor)));

        var legend = new List<IReadOnlyList<CurveStyle>>();
        string[] others = [.. models.Select(model => model[0].Model).Where(name => !IsPublished(name))];
        foreach (EpochRecord[] model in models)
        {
            string name = NameOf(model[0].Model);
            uint dark = ColourOf(model[0].Model, others), light = Palette.Lighter(dark);
            float dots = model.Length <= LossAxes.MostDots ? LossAxes.DotSize : 0;
            var train = new CurveStyle($"{name}, training", light, 1.8f, LinePattern.DenselyDashed, model.Length > 1 ? 0 : dots);
            var test = new CurveStyle($"{name}, test", dark, 2, LinePattern.Solid, dots);
            LossAxes.AddCurve(plot, model, e => e.TrainLoss, train);
            LossAxes.AddCurve(plot, model, e => e.TestLoss, test);
            legend.Add([train, test]);
        }

        if (context.Count > 0)
            legend.Add(context);

        var heading = new Heading(Title(models), options.Subtitle, options.IsFallback);
        // The curves keep their height, however long the legend is.
        int legendHeight = LossLegend.Height(legend, Width), legendTop = Math.Max(Height - Margin / 2 - legendHeight, LeastLegendTop);
        using var picture = new Picture(Width, legendTop + legendHeight + Margin / 2);
        heading.Draw(picture, Margin);
        LossLegend.Draw(picture, legend, legendTop);
        byte[] curves = plot.GetImageBytes(Width - 2 * Margin, legendTop - heading.Height, ImageFormat.Png);
        picture.DrawPng(curves, Margin, heading.Height);
        picture.SavePng(path);
    }

    /// <summary>A model's name for people.</summary>
    internal static string NameOf(string model) => model switch
    {
        "fc" => "Fully connected",
        "conv" => "Convolutional",
        _ => model,
    };

    private static string Title(EpochRecord[][] models) =>
        (models.Length == 1 ? $"{NameOf(models[0][0].Model)} autoencoder" : "Autoencoders") + ": training and test loss";

    private static bool IsPublished(string model) => model is "fc" or "conv";

    /// <summary>A model's colour: the first two are the published models', the rest for others, in their order.</summary>
    private static uint ColourOf(string model, string[] others) => Palette.Of(model switch
    {
        "conv" => 0,
        "fc" => 1,
        _ => 2 + Array.IndexOf(others, model),
    });
}
