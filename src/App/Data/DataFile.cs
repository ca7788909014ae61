namespace AutoencoderGpu.App.Data;

/// <summary>A file of a data set that is published gzip-compressed, and how to tell that it is the right one.</summary>
/// <param name="Name">As published, without <c>.gz</c>.</param>
/// <param name="Bytes">Size of the decompressed content.</param>
/// <param name="Sha256">Of the decompressed content: 64 lower-case hexadecimal digits.</param>
public sealed record DataFile(string Name, long Bytes, string Sha256)
{
    /// <summary>
    /// The file in a folder, raw or with <c>.gz</c>, under its own name or the variant with <c>.idx</c>; null if missing.
    /// </summary>
    public string? Find(string folder)
    {
        string variant = Name.Replace("-idx", ".idx", StringComparison.Ordinal);
        string[] names = [Name, Name + ".gz", variant, variant + ".gz"];
        return names.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
    }
}
