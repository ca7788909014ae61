using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using AutoencoderGpu.Kernels.Devices;
using Spectre.Console;

namespace AutoencoderGpu.App.Commands;

/// <summary>Lists accelerators.</summary>
internal static class DevicesCommand
{
    public static Command Create()
    {
        var command = new Command("devices", "Lists every accelerator, which one auto takes and why, and what is missing where there is none.");
        command.SetWork((_, terminal, _) =>
        {
            var devices = Accelerators.Survey();
            var preferred = Accelerators.Preferred(devices);
            var reason = preferred.IsGpu
                ? $"auto takes {Name(preferred)}: the first GPU in the order CUDA, OpenCL"
                : "auto takes the CPU: there is no CUDA device and no OpenCL GPU that can be used";
            if (terminal.IsJson)
            {
                var list = new JsonArray([.. devices.Select(device => (JsonNode)new JsonObject
                {
                    ["accelerator"] = Name(device),
                    ["device"] = device.IsUsable ? device.Index : null,
                    ["usable"] = device.IsUsable,
                    ["reason"] = device.Reason,
                    ["name"] = device.Name,
                    ["memory_bytes"] = device.MemoryBytes,
                    ["details"] = device.Details,
                })]);
                terminal.WriteJson(new JsonObject { ["auto"] = Name(preferred), ["reason"] = reason, ["devices"] = list }.ToJsonString());
                return Task.CompletedTask;
            }

            var table = Terminal.Table("--accelerator", ">--device", "name", ">memory", "details");
            foreach (var device in devices.Where(device => device.IsUsable))
            {
                // Drivers put brackets into names, which would be taken for markup.
                table.AddRow(
                    Name(device),
                    device.Index.ToString(CultureInfo.InvariantCulture),
                    Markup.Escape(device.Name!),
                    device.MemoryBytes > 0 ? $"{device.MemoryBytes / (double)(1 << 30):0.0} GiB" : "–",
                    Markup.Escape(device.Details));
            }

            terminal.Show(table);
            // Lines, for reasons are sentences.
            foreach (var device in devices.Where(device => !device.IsUsable))
                terminal.Data.WriteLine($"{Name(device)}: {device.Refusal}");
            terminal.Data.WriteLine(reason);
            return Task.CompletedTask;
        });
        return command;
    }

    private static string Name(DeviceReport device) => Accelerators.OptionOf(device.Kind);
}
