using System.Text.Json;
using System.Text.Json.Nodes;

namespace AutoencoderGpu.App.Reports;

/// <summary>Reads JSON that this program wrote, and that may have been damaged or edited since.</summary>
internal static class StrictJson
{
    /// <summary>What <paramref name="read"/> makes of an object that says nothing twice.</summary>
    /// <exception cref="JsonException">It is no such object.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json, Func<JsonObject, T> read)
    {
        try
        {
            return read(JsonNode.Parse(json, documentOptions: new() { AllowDuplicateProperties = false }) as JsonObject ?? throw new JsonException("it is not an object"));
        }
        // A value of another kind than is asked for, or text that is none.
        catch (Exception e) when (e is InvalidOperationException or FormatException or ArgumentException)
        {
            throw new JsonException(e.Message, e);
        }
    }
}
