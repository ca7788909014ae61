using AutoencoderGpu.App.Data;
using AutoencoderGpu.Models;
using Xunit;

namespace AutoencoderGpu.Tests.App.Data;

public class LossFloorTests
{
    [Fact]
    public void Of_every_byte_once_equals_the_sum_written_out()
    {
        byte[] pixels = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        double floor = 0;
        foreach (byte pixel in pixels)
        {
            double t = (pixel / 255.0 - 0.1307) / 0.3081;
            double reached = t < 0 ? 0 : t > 1 ? 1 : t;
            floor += (t - reached) * (t - reached) / 256;
        }
        var actual = LossFloor.Of(new ImageSet(pixels, [0], 16, 16), Network.FullyConnected);
        Assert.Equal(floor, actual, 1e-12);
    }

    [Fact]
    public void Of_black_pixels_is_the_background_squared()
    {
        var actual = LossFloor.Of(new ImageSet(new byte[4], [0], 2, 2), Network.FullyConnected);
        Assert.Equal(0.42421 * 0.42421, actual, 1e-5);
    }

    [Fact]
    public void Weighs_images_by_their_pixels()
    {
        var actual = LossFloor.Of(new ImageSet([0, 0, 0, 255], [0], 2, 2), Network.FullyConnected);
        const double black = -0.1307 / 0.3081, white = (1 - 0.1307) / 0.3081;
        Assert.Equal((3 * black * black + (white - 1) * (white - 1)) / 4, actual, 1e-12);
    }
}
