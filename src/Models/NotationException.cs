namespace AutoencoderGpu.Models;

/// <summary>That a text is no network; it points at what is wrong.</summary>
/// <param name="text">The text.</param>
/// <param name="start">Where the wrong word begins.</param>
/// <param name="length">How long it is.</param>
/// <param name="reason">What is wrong, and what would fit.</param>
public sealed class NotationException(string text, int start, int length, string reason)
    : ArgumentException($"{reason} (at {start + 1}: {Around(text, start, length)})")
{
    /// <summary>Where the wrong word begins.</summary>
    public int Start => start;

    /// <summary>How long it is.</summary>
    public int Length => length;

    /// <summary>The wrong word in its surroundings, between marks.</summary>
    private static string Around(string text, int start, int length)
    {
        const int reach = 24;
        int first = Math.Max(0, start - reach), end = Math.Min(text.Length, start + length + reach), wordEnd = Math.Min(text.Length, start + length);
        start = Math.Min(start, text.Length);
        return (first > 0 ? "…" : "") + text[first..start] + "»" + text[start..wordEnd] + "«" + text[wordEnd..end] + (end < text.Length ? "…" : "");
    }
}
