using System.Security.Cryptography;
using AutoencoderGpu.App.Data;
using AutoencoderGpu.Models;
using Xunit;

namespace AutoencoderGpu.Tests.App.Data;

public class SyntheticDigitsTests
{
    private const int Pixels = 28 * 28;

    [Fact]
    public void Are_the_same_on_every_machine()
    {
        var set = SyntheticDigits.Generate(seed: 1, trainLimit: 100, testLimit: 100);
        Assert.Equal("c6199f05c107f63c3db5ea4a7f6a00a18fb667adc7c26b488353506181165648", Hash(set.Train));
        Assert.Equal("8d03d1cbfc73438e3eca9ceb6338072fe7c9b8e19622aa2553c2bf3b190aa9bc", Hash(set.Test));
    }

    [Fact]
    public void A_shorter_set_is_the_beginning_of_a_longer_one()
    {
        var shorter = SyntheticDigits.Generate(seed: 3, trainLimit: 7, testLimit: 5);
        var longer = SyntheticDigits.Generate(seed: 3, trainLimit: 400, testLimit: 300);
        Assert.Equal((7, 5), (shorter.Train.Count, shorter.Test.Count));
        Assert.Equal(Hash(longer.Train.Take(7)), Hash(shorter.Train));
        Assert.Equal(Hash(longer.Test.Take(5)), Hash(shorter.Test));
    }

    [Fact]
    public void Another_seed_and_the_test_set_are_other_images()
    {
        var one = SyntheticDigits.Generate(seed: 1, trainLimit: 50, testLimit: 50);
        var two = SyntheticDigits.Generate(seed: 2, trainLimit: 50, testLimit: 50);
        string[] hashes = [Hash(one.Train), Hash(one.Test), Hash(two.Train), Hash(two.Test)];
        Assert.Distinct(hashes);
    }

    [Fact]
    public void No_image_comes_twice_and_none_is_blank()
    {
        var train = SyntheticDigits.Generate(seed: 1, trainLimit: 2000, testLimit: 1).Train;
        var images = Enumerable.Range(0, train.Count).Select(i => Convert.ToHexString(train.Pixels, i * Pixels, Pixels));
        Assert.Distinct(images);
        for (int i = 0; i < train.Count; i++)
            Assert.InRange(train.Pixels.AsSpan(i * Pixels, Pixels).ToArray().Sum(p => p) / 255.0, 15, 300);
    }

    [Fact]
    public void Every_ten_labels_hold_every_digit_in_changing_order()
    {
        byte[] labels = SyntheticDigits.Generate(seed: 1, trainLimit: 1000, testLimit: 1).Train.Labels;
        byte[][] tens = [.. labels.Chunk(10)];
        Assert.All(tens, ten => Assert.Equal(Enumerable.Range(0, 10), ten.Order().Select(label => (int)label)));
        Assert.Distinct(tens.Select(ten => Convert.ToHexString(ten)));
    }

    [Fact]
    public void Look_like_MNIST_to_its_normalisation()
    {
        var train = SyntheticDigits.Generate(seed: 1, trainLimit: 5000, testLimit: 1).Train;
        double mean = train.Pixels.Average(p => p / 255.0);
        double variance = train.Pixels.Average(p => p / 255.0 * (p / 255.0)) - mean * mean;
        Assert.InRange(mean, 0.95 * Normalisation.Mnist.Mean[0], 1.05 * Normalisation.Mnist.Mean[0]);
        Assert.InRange(Math.Sqrt(variance), 0.95 * Normalisation.Mnist.Deviation[0], 1.05 * Normalisation.Mnist.Deviation[0]);
        // Exactly black background: MNIST has 81 % of it.
        Assert.InRange(train.Pixels.Count(p => p == 0) / (double)train.Pixels.Length, 0.75, 0.85);
    }

    [Fact]
    public void Are_centred_by_mass()
    {
        var train = SyntheticDigits.Generate(seed: 1, trainLimit: 500, testLimit: 1).Train;
        for (int i = 0; i < train.Count; i++)
        {
            double mass = 0, x = 0, y = 0;
            for (int k = 0; k < Pixels; k++)
            {
                double ink = train.Pixels[i * Pixels + k];
                (mass, x, y) = (mass + ink, x + ink * (k % 28 + 0.5), y + ink * (k / 28 + 0.5));
            }
            Assert.InRange(x / mass, 12.5, 15.5);
            Assert.InRange(y / mass, 12.5, 15.5);
        }
    }

    [Fact]
    public void Can_be_told_apart()
    {
        var set = SyntheticDigits.Generate(seed: 1, trainLimit: 3000, testLimit: 1000);
        double[][] means = ClassMeans(set.Train);
        int[] right = new int[10];
        for (int i = 0; i < set.Test.Count; i++)
        {
            int nearest = Enumerable.Range(0, 10).MinBy(digit => SquaredDistance(set.Test, i, means[digit]));
            if (nearest == set.Test.Labels[i])
                right[nearest]++;
        }
        // Of 100 each; MNIST's own digits reach 82 on average. Chance is 10.
        Assert.All(right, count => Assert.InRange(count, 55, 100));
        Assert.InRange(right.Average(), 75, 99);
    }

    private static double[][] ClassMeans(ImageSet set)
    {
        double[][] means = [.. Enumerable.Range(0, 10).Select(_ => new double[Pixels])];
        int[] counts = new int[10];
        for (int i = 0; i < set.Count; i++)
        {
            counts[set.Labels[i]]++;
            for (int k = 0; k < Pixels; k++)
                means[set.Labels[i]][k] += set.Pixels[i * Pixels + k];
        }
        for (int digit = 0; digit < 10; digit++)
        {
            for (int k = 0; k < Pixels; k++)
                means[digit][k] /= counts[digit];
        }
        return means;
    }

    private static double SquaredDistance(ImageSet set, int image, double[] mean)
    {
        double sum = 0;
        for (int k = 0; k < Pixels; k++)
        {
            double difference = set.Pixels[image * Pixels + k] - mean[k];
            sum += difference * difference;
        }
        return sum;
    }

    private static string Hash(ImageSet set) => Convert.ToHexStringLower(SHA256.HashData([.. set.Pixels, .. set.Labels]));
}
