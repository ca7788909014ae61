using System.Diagnostics;
using System.Globalization;
using AutoencoderGpu.App.Data;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.Benchmarks.Sides;

/// <summary>What both sides are given.</summary>
/// <param name="Case">What to compute.</param>
/// <param name="Threads">With how many threads.</param>
/// <param name="Data">The images.</param>
/// <param name="Weights">The initial values.</param>
internal sealed record SideInput(Case Case, int Threads, DataSet Data, Safetensors Weights)
{
    /// <summary>The order in which training visits the images.</summary>
    public int[] Order() => RandomNumbers.OrderOf(1, 1, Data.Train.Count);
}

/// <summary>One of the two programs that are compared, in a process of its own.</summary>
internal abstract class Side : IDisposable
{
    /// <summary>What computes, for people.</summary>
    public abstract string Description { get; }

    /// <summary>
    /// Does units of work, each a training step or an evaluation of all test images, and goes on where the last call ended.
    /// </summary>
    /// <returns>The loss of every mini-batch that was trained with, or of every evaluation.</returns>
    public abstract IReadOnlyList<double> Work(int units);

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>
    /// Answers lines: <c>losses N</c> with the losses of the next N units, <c>block S</c> with the microseconds of a unit when
    /// they are done for about S seconds. Ends with the input.
    /// </summary>
    public void Serve(TextReader input, TextWriter output)
    {
        output.WriteLine(Description);
        var secondsOfUnit = 0.0;
        while (input.ReadLine()?.Split(' ') is [var command, var argument])
        {
            if (command == "losses")
            {
                var losses = Work(int.Parse(argument, CultureInfo.InvariantCulture));
                output.WriteLine(string.Join(' ', losses.Select(loss => loss.ToString("R", CultureInfo.InvariantCulture))));
                continue;
            }

            var seconds = double.Parse(argument, CultureInfo.InvariantCulture);
            if (secondsOfUnit == 0)
                secondsOfUnit = Estimate(seconds);
            var units = (int)Math.Max(1, seconds / secondsOfUnit);
            var watch = Stopwatch.StartNew();
            Work(units);
            secondsOfUnit = watch.Elapsed.TotalSeconds / units;
            output.WriteLine((1e6 * secondsOfUnit).ToString("R", CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Works for a time, in ever larger blocks, which also warms up all that warms up.</summary>
    private double Estimate(double seconds)
    {
        var all = Stopwatch.StartNew();
        for (var units = 1; ; units *= 2)
        {
            var watch = Stopwatch.StartNew();
            Work(units);
            if (all.Elapsed.TotalSeconds > seconds / 2)
                return watch.Elapsed.TotalSeconds / units;
        }
    }
}
