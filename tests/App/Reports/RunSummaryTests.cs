using System.Text.Json;
using System.Text.Json.Nodes;
using AutoencoderGpu.App.Reports;
using Xunit;

namespace AutoencoderGpu.Tests.App.Reports;

public sealed class RunSummaryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static RunSummary Sample => new(
        new VersionsSummary("0.1.0", "10.0.1", "1.5.3", null),
        new DeviceSummary("cpu", "2 threads"),
        new JsonObject { ["model"] = "fc", ["epochs"] = 2, ["learning_rate"] = 1.0, ["train_limit"] = null },
        new DatasetSummary("mnist", "mnist", false, 60000, 10000),
        [
            new ModelSummary(
                "fc", "784-64-784", "cpu", new ParameterCounts(233856, 234512), new ProtocolSummary(100, 0.5f, "cosine"), 0.5, 0.625, 0.75, 0.5, 2, 0.25, 0.125,
                [1.5, 2], 228.5, 12000, 10),
        ]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Text_is_exactly_this()
    {
        Sample.Save(_folder.File("summary.json"));

        Assert.Equal(
            """
            {
              "versions": {
                "program": "0.1.0",
                "dotnet": "10.0.1",
                "ilgpu": "1.5.3",
                "commit": null
              },
              "device": {
                "accelerator": "cpu",
                "name": "2 threads"
              },
              "options": {
                "model": "fc",
                "epochs": 2,
                "learning_rate": 1,
                "train_limit": null
              },
              "dataset": {
                "name": "mnist",
                "origin": "mnist",
                "is_fallback": false,
                "train_count": 60000,
                "test_count": 10000
              },
              "models": [
                {
                  "model": "fc",
                  "notation": "784-64-784",
                  "accelerator": "cpu",
                  "parameters": {
                    "total": 468368,
                    "encoder": 233856,
                    "decoder": 234512
                  },
                  "protocol": {
                    "warm_up_steps": 100,
                    "clip_norm": 0.5,
                    "schedule": "cosine"
                  },
                  "train_loss": 0.5,
                  "recent_train_loss": 0.625,
                  "test_loss": 0.75,
                  "best_test_loss": 0.5,
                  "best_epoch": 2,
                  "floor": 0.25,
                  "train_floor": 0.125,
                  "seconds_per_epoch": [
                    1.5,
                    2
                  ],
                  "us_per_step": 228.5,
                  "steps": 12000,
                  "batch_size": 10,
                  "excess": 0.25,
                  "test_excess": 0.5,
                  "train_excess": 0.375
                }
              ]
            }

            """.ReplaceLineEndings("\n"),
            File.ReadAllText(_folder.File("summary.json")));
        Assert.Equal(["summary.json"], _folder.Names);
    }

    [Fact]
    public void Numbers_that_are_not_finite_are_null()
    {
        ModelSummary collapsed = Sample.Models[0] with
        {
            TrainLoss = double.NaN,
            BestTestLoss = double.PositiveInfinity,
            SecondsPerEpoch = [1, double.NaN],
        };

        using JsonDocument json = JsonDocument.Parse((Sample with { Models = [collapsed] }).ToJson());
        JsonElement model = json.RootElement.GetProperty("models")[0];

        Assert.Equal(JsonValueKind.Null, model.GetProperty("train_loss").ValueKind);
        Assert.Equal(JsonValueKind.Null, model.GetProperty("best_test_loss").ValueKind);
        Assert.Equal(JsonValueKind.Null, model.GetProperty("excess").ValueKind);
        Assert.Equal(JsonValueKind.Null, model.GetProperty("seconds_per_epoch")[1].ValueKind);
        Assert.Equal(0.75, model.GetProperty("test_loss").GetDouble());
    }
}
