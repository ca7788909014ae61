namespace AutoencoderGpu.Benchmarks;
internal static class Roofline
{
    public static void Save(string path, IReadOnlyList<ModelTiming> timings, string subtitle) { }
}
