using AutoencoderGpu.App.Training;
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Executors;
using Xunit;

namespace AutoencoderGpu.Tests.App;

public sealed class TrainingOptionsTests
{
    [Fact]
    public void What_is_written_is_every_option_and_reads_back()
    {
        var options = new TrainingOptions
        {
            Model = "conv; 784-8-784",
            Loss = "bce",
            Optimizer = "momentum",
            Momentum = 0.5,
            WeightDecay = 0.25,
            Normalise = NormaliseChoice.None,
            Accelerator = AcceleratorKind.OpenCL,
            Device = 2,
            Threads = 3,
            DeviceMemory = 5_000_000_000,
            Dataset = "mnist",
            Data = "folder",
            Epochs = 4,
            BatchSize = 5,
            LearningRate = 0.1,
            Seed = ulong.MaxValue,
            Protocol = ProtocolChoice.Reference,
            WarmUp = 8,
            ClipNorm = 0.25,
            Schedule = Schedule.Cosine,
            Upsample = Interpolation.Nearest,
            TrainLimit = 6,
            TestLimit = 7,
        };
        Assert.Equal(typeof(TrainingOptions).GetProperties().Length, options.ToJson().Count);
        Assert.Equal(options, TrainingOptions.FromJson(options.ToJson()));
        Assert.Equal(new(), TrainingOptions.FromJson(new TrainingOptions().ToJson()));
    }
}
