using System.Globalization;
using AutoencoderGpu.App.Images;

namespace AutoencoderGpu.App.Reports;

/// <summary>An image, what a model made of it, and how far apart they are.</summary>
/// <param name="Original">(28, 28) bytes as in the data set, row-major; 0 is background.</param>
/// <param name="Output">(784) outputs of the model's sigmoid, 0 to 1.</param>
/// <param name="Label">Class, 0 to 9; negative when it is not known.</param>
/// <param name="Loss">Mean squared error of this image, in the units of the training loss.</param>
/// <param name="Name">What it is called below the pair, such as its file's name; null for nothing.</param>
public sealed record Reconstruction(byte[] Original, float[] Output, int Label, double Loss, string? Name = null);

/// <summary>Draws images beside their reconstructions, the loss of each below: <c>reconstructions-fc.png</c> and its like.</summary>
/// <remarks>
/// An original is shown by its bytes. A reconstruction is shown by the sigmoid's output as a grey level, 0 black and 1 white,
/// although the training target is the normalised image, which runs from −0.42 to 2.82: where the target is out of the
/// sigmoid's reach the best output is 0 or 1, so that good reconstructions have more contrast than their originals.
/// </remarks>
public static class ReconstructionMontage
{
    private const int Side = 28;
    private const int Scale = 6;
    private const int Image = Side * Scale;

    // Everything below is in pixels of the finished picture, which is meant to be shown at half its size.
    private const int Margin = 56;
    private const int LabelWidth = 56;
    private const int InPair = 8;
    private const int BetweenPairs = 40;
    private const int BetweenBlocks = 72;
    private const int Caption = 66;
    private const int NameHeight = 34;
    private const int ColumnTitle = 40;
    private const float TextSize = 24;
    private const int PairWidth = 2 * Image + InPair;
    private const int PairsInRow = 2;
    private const int RowWidth = PairsInRow * PairWidth + (PairsInRow - 1) * BetweenPairs;

    /// <summary>
    /// Draws the images by class, two pairs a row, in two blocks of rows beside each other: 20 images, two a class, become
    /// classes 0 to 4 on the left and 5 to 9 on the right.
    /// </summary>
    /// <param name="path">The PNG file, replaced if it exists; its folder must exist.</param>
    /// <param name="images">At least one; sorted by class here, otherwise kept in order.</param>
    /// <param name="title">The model, such as "Convolutional autoencoder".</param>
    /// <param name="subtitle">Epoch, test loss, data set.</param>
    /// <param name="isFallback">Whether the data is the built-in stand-in for MNIST, which the picture then says loudly.</param>
    /// <param name="lossTitle">What stands below each pair.</param>
    /// <exception cref="ArgumentException">No image, or one that is not 28×28.</exception>
    /// <exception cref="UserError">The file cannot be written (<see cref="ExitCode.Failed"/>).</exception>
    public static void Save(
        string path,
        IReadOnlyList<Reconstruction> images,
        string title,
        string subtitle,
        bool isFallback = false,
        string lossTitle = "mean squared error of the normalised image")
    {
        ArgumentOutOfRangeException.ThrowIfZero(images.Count, nameof(images));
        if (images.Any(i => i.Original.Length != Side * Side || i.Output.Length != Side * Side))
            throw new ArgumentException("Images and reconstructions are 28×28.", nameof(images));

        Reconstruction[][] rows = [.. images.GroupBy(i => i.Label).OrderBy(c => c.Key).SelectMany(c => c.Chunk(PairsInRow))];
        int blocks = rows.Length > 1 ? 2 : 1;
        int labelWidth = images.Any(i => i.Label >= 0) ? LabelWidth : 0;
        int blockWidth = labelWidth + RowWidth;
        int rowsInBlock = (rows.Length + blocks - 1) / blocks;
        int rowHeight = Image + Caption + (images.Any(i => i.Name is not null) ? NameHeight : 0);
        var heading = new Heading(title, subtitle, isFallback);

        using var picture = new Picture(
            2 * Margin + blocks * blockWidth + (blocks - 1) * BetweenBlocks,
            heading.Height + ColumnTitle + rowsInBlock * rowHeight + Margin);
        heading.Draw(picture, Margin);
        for (int row = 0; row < rows.Length; row++)
        {
            int left = Margin + row / rowsInBlock * (blockWidth + BetweenBlocks) + labelWidth;
            int top = heading.Height + ColumnTitle + row % rowsInBlock * rowHeight;
            DrawRow(picture, rows[row], left, top, hasTitles: row % rowsInBlock == 0);
        }

        DrawText(picture, $"Below each pair: the {lossTitle}.", Margin, picture.Height - 36, TextAlign.Left);
        picture.SavePng(path);
    }

    /// <summary>The grey level that shows an output of the sigmoid.</summary>
    /// <param name="output">0 to 1; what is outside is shown as the nearer end, and NaN as black.</param>
    /// <returns>0 (black) to 255 (white).</returns>
    internal static byte ToGrey(float output) => output > 0 ? (byte)MathF.Round(255 * MathF.Min(output, 1)) : (byte)0;

    private static void DrawRow(Picture picture, Reconstruction[] row, int left, int top, bool hasTitles)
    {
        if (row[0].Label >= 0)
        {
            string label = row[0].Label.ToString(CultureInfo.InvariantCulture);
            picture.DrawText(label, left - LabelWidth, top + Image / 2 + 15, 42, Heading.Dark, bold: true);
        }

        for (int i = 0; i < row.Length; i++)
        {
            int original = left + i * (PairWidth + BetweenPairs), output = original + Image + InPair;
            if (hasTitles)
            {
                DrawText(picture, "original", original + Image / 2, top - 14, TextAlign.Center);
                DrawText(picture, "reconstruction", output + Image / 2, top - 14, TextAlign.Center);
            }

            picture.DrawGrey(row[i].Original, Side, original, top, Scale);
            picture.DrawGrey(Array.ConvertAll(row[i].Output, ToGrey), Side, output, top, Scale);
            string loss = row[i].Loss.ToString("F4", CultureInfo.InvariantCulture);
            DrawText(picture, loss, original + PairWidth / 2, top + Image + 34, TextAlign.Center);
            if (row[i].Name is { } name)
                DrawText(picture, Shortened(name), original + PairWidth / 2, top + Image + 34 + NameHeight, TextAlign.Center);
        }
    }

    // The beginning and the end of a name that is too long: numbers and dates, which tell files apart, are often at its end.
    private static string Shortened(string name)
    {
        string shortened = name;
        for (int kept = name.Length - 1; kept > 1 && Picture.TextWidth(shortened, TextSize) > PairWidth; kept--)
            shortened = $"{name[..(kept / 2)]}…{name[^(kept - kept / 2)..]}";
        return shortened;
    }

    private static void DrawText(Picture picture, string text, int x, int baseline, TextAlign align) =>
        picture.DrawText(text, x, baseline, TextSize, Heading.Grey, align);
}
