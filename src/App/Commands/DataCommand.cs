using System.CommandLine;
using System.Text.Json.Nodes;
using AutoencoderGpu.App.Data;
using Spectre.Console;

namespace AutoencoderGpu.App.Commands;

/// <summary>Says where data sets are, or fetches MNIST.</summary>
internal static class DataCommand
{
    private static readonly Option<bool> _fetch = new("--fetch")
    {
        Description = "Fetch what is missing of MNIST into the folder and verify all of it",
    };

    public static Command Create()
    {
        var command = new Command("data", "Says where each data set is and what is missing of it; with --fetch, fetches and verifies it.")
        {
            CommonOptions.Data, _fetch,
        };
        command.SetWork(async (parsed, terminal, signals) =>
        {
            var source = new DataSource();
            var folder = parsed.GetValue(CommonOptions.Data);
            if (parsed.GetValue(_fetch))
            {
                using var bars = new DownloadBars(terminal);
                folder = await source.FetchAsync(folder, bars, signals.Token);
                terminal.Say($"MNIST is complete and verified in {Markup.Escape(folder)}");
            }

            var sets = source.Describe(folder);
            if (terminal.IsJson)
            {
                var list = new JsonArray([.. sets.Select(set => (JsonNode)new JsonObject
                {
                    ["dataset"] = set.Name,
                    ["origin"] = set.Origin,
                    ["present"] = new JsonArray([.. set.Present.Select(file => (JsonNode)file)]),
                    ["missing"] = new JsonArray([.. set.Missing.Select(file => (JsonNode)file)]),
                })]);
                terminal.WriteJson(new JsonObject { ["datasets"] = list }.ToJsonString());
            }

            var table = Terminal.Table("--dataset", "where", "state");
            foreach (var set in sets)
                table.AddRow(set.Name, set.Origin, set.Missing.Count == 0 ? "complete" : $"missing: {string.Join(", ", set.Missing)}; `autoencoder data --fetch` fetches them");
            terminal.Show(table);
        });
        return command;
    }
}
