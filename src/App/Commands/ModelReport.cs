using System.Globalization;
using System.Text.Json.Nodes;
using AutoencoderGpu.Models;
using Spectre.Console;

namespace AutoencoderGpu.App.Commands;

/// <summary>The layers of networks, with output shapes and parameters, as Keras shows them.</summary>
internal static class ModelReport
{
    /// <summary>Shows a table a network or, where JSON is asked for, one object.</summary>
    public static void Show(Terminal terminal, IReadOnlyList<Network> networks)
    {
        if (terminal.IsJson)
        {
            terminal.WriteJson(new JsonObject { ["models"] = new JsonArray([.. networks.Select(ToJson)]) }.ToJsonString());
            return;
        }

        foreach (var network in networks)
        {
            var table = Terminal.Table("layer", ">output shape", ">parameters", "part");
            var notation = Notation.Of(network);
            table.Title = new TableTitle(Markup.Escape(notation == network.Name ? notation : $"{network.Name}: {notation}"));
            table.AddRow("image", network.Input.ToString(), "0", "input");
            foreach (var (layer, shape, count, isEncoder) in Rows(network))
                table.AddRow(layer.Notation, shape.ToString(), Text(count), isEncoder ? "encoder" : "decoder");
            table.AddRow("", "", Text(Rows(network).Sum(row => (long)row.Count)), "total");
            terminal.Show(table);
        }
    }

    private static JsonNode ToJson(Network network) => new JsonObject
    {
        ["model"] = network.Name,
        ["notation"] = Notation.Of(network),
        ["input"] = ToJson(network.Input),
        ["layers"] = new JsonArray([.. Rows(network).Select(row => (JsonNode)new JsonObject
        {
            ["layer"] = row.Layer.Notation,
            ["output"] = ToJson(row.Output),
            ["parameters"] = row.Count,
            ["part"] = row.IsEncoder ? "encoder" : "decoder",
        })]),
        ["parameters"] = Rows(network).Sum(row => (long)row.Count),
    };

    private static JsonArray ToJson(Shape shape) => [shape.Height, shape.Width, shape.Channels];

    private static IEnumerable<(Layer Layer, Shape Output, int Count, bool IsEncoder)> Rows(Network network)
    {
        var shapes = network.Shapes();
        for (var i = 0; i < network.Layers.Count; i++)
        {
            var parameters = network.Layers[i].ParametersOf(i == 0 ? network.Input : shapes[i - 1]).Sum(parameter => parameter.Count);
            yield return (network.Layers[i], shapes[i], parameters, i < network.EncoderLayers);
        }
    }

    private static string Text(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
