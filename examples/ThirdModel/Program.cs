// A third model: colour images through convolutions to a dense code of four numbers and back, trained by Adam on the CPU or a GPU.
using AutoencoderGpu.Kernels;
using AutoencoderGpu.Kernels.Devices;
using AutoencoderGpu.Kernels.Executors;
using AutoencoderGpu.Kernels.Operations;
using AutoencoderGpu.Models;

byte[] images = Squares(count: 320, side: 16);
var network = Notation.Parse("conv 8 relu, pool, flatten, dense 4 | dense 512 relu, unflatten 8x8x8, up, conv 3 sigmoid", new(16, 16, 3), Interpolation.Nearest)
    with { Normalisation = Normalisation.Measured(images, channels: 3), Loss = new BinaryCrossEntropyLoss() };
using var executor = Accelerators.Open(AcceleratorKind.Auto, device: 0, Environment.ProcessorCount);
using var model = new Model(executor, network, batchSize: 16, optimiser: Optimiser.Named("adam", new()));
using var feed = executor.CreateFeed(images, network.Input.Size, batchSize: 16);
model.Initialise(seed: 1);
for (var epoch = 1; epoch <= 20; epoch++)
{
    feed.SetOrder(RandomNumbers.OrderOf(seed: 1, epoch, feed.Count));
    feed.SetLearningRates([.. Enumerable.Repeat(0.005f, feed.Steps)], stepsBefore: (epoch - 1) * feed.Steps);
    model.Train(feed, firstStep: 0, feed.Steps);
    if (epoch % 5 == 0)
        Console.WriteLine(FormattableString.Invariant($"epoch {epoch}: loss {feed.ReadLosses(0, feed.Steps).Average():0.0000}"));
}

// Squares of one colour each on black, (count, side, side, 3) bytes.
static byte[] Squares(int count, int side)
{
    var random = new SplitMix64(1);
    var pixels = new byte[count * side * side * 3];
    for (var image = 0; image < count; image++)
    {
        int size = 4 + random.Next(5), top = random.Next(side - size), left = random.Next(side - size), colour = 1 + random.Next(7);
        for (var y = top; y < top + size; y++)
        {
            for (var x = left; x < left + size; x++)
            {
                for (var channel = 0; channel < 3; channel++)
                    pixels[((image * side + y) * side + x) * 3 + channel] = (byte)(255 * (colour >> channel & 1));
            }
        }
    }

    return pixels;
}
