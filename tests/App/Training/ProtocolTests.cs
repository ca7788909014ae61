using AutoencoderGpu.App.Training;
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Models;
using Xunit;

namespace AutoencoderGpu.Tests.App.Training;

public sealed class ProtocolTests
{
    private static readonly Network _fc = Network.FullyConnected, _conv = Network.Convolutional(Interpolation.Bilinear);

    [Fact]
    public void Only_SGD_of_the_convolutional_model_needs_more_than_plain_steps()
    {
        Assert.Equal(new(0, 0), Protocol.Of(new(), _fc));
        Assert.Equal(new(100, 0.25f), Protocol.Of(new(), _conv));
        Assert.Equal(new(0, 0), Protocol.Of(new() { Protocol = ProtocolChoice.Reference }, _conv));
        Assert.Equal(new(0, 0), Protocol.Of(new() { Optimizer = "adam" }, _conv));
        Assert.Equal(new(100, 0.25f), Protocol.Of(new() { Optimizer = "momentum" }, _conv));
    }

    [Fact]
    public void What_is_given_by_itself_goes_before_the_protocol()
    {
        var options = new TrainingOptions { WarmUp = 7, ClipNorm = 0.1, Schedule = Schedule.Cosine };
        Assert.Equal(new(7, 0.1f, Schedule.Cosine), Protocol.Of(options, _conv));
        Assert.Equal(new(7, 0.1f, Schedule.Cosine), Protocol.Of(options, _fc));
        Assert.Equal(new(7, 0.1f, Schedule.Cosine), Protocol.Of(options with { Optimizer = "adam" }, _conv));
        Assert.Equal(new(0, 0), Protocol.Of(new() { WarmUp = 0, ClipNorm = 0 }, _conv));
    }

    [Fact]
    public void Rates_rise_over_the_warm_up_across_epochs_and_then_stay()
    {
        var protocol = new Protocol(4, 0);
        Assert.Equal([0.5f, 1f, 1.5f], protocol.LearningRates(2, 1, 2, 3));
        Assert.Equal([2f, 2f, 2f], protocol.LearningRates(2, 2, 2, 3));
    }

    [Fact]
    public void A_cosine_falls_from_the_whole_rate_towards_nothing()
    {
        var rates = new Protocol(0, 0, Schedule.Cosine).LearningRates(2, 1, 1, 1000);
        Assert.Equal(2, rates[0]);
        Assert.Equal(1, rates[500], 1e-6);
        Assert.InRange(rates[^1], 0, 1e-5);
        Assert.Equal(rates.OrderDescending(), rates);
    }
}
