using AutoencoderGpu.Kernels;

namespace AutoencoderGpu.Tests.Kernels;

/// <summary>
/// Every operation as PyTorch defines it, NCHW, in loops that say nothing but the formula and in double precision. They are
/// tested against libtorch's values themselves.
/// </summary>
internal static class Reference
{
    public static double[] Exact(float[] values) => [.. values.Select(value => (double)value)];

    public static double Activate(Activation activation, double x) => Activated.Of(activation).Value(x);

    /// <summary>The derivative at the point whose result was y.</summary>
    public static double Derivative(Activation activation, double y) => Activated.Of(activation).Derivative(y);

    /// <summary>x (B, K), w (N, K), bias (N) to (B, N).</summary>
    public static Sums Dense(double[] x, double[] w, double[] bias, int batch)
    {
        int n = bias.Length, k = w.Length / n;
        var y = new Sums(batch * n, k + 1);
        for (var b = 0; b < batch; b++)
        {
            for (var o = 0; o < n; o++)
            {
                y.Add(b * n + o, bias[o]);
                for (var i = 0; i < k; i++)
                    y.Add(b * n + o, x[b * k + i] * w[o * k + i]);
            }
        }

        return y;
    }

    /// <summary>Gradients of x (B, K), w (N, K) and bias (N) from g (B, N).</summary>
    public static (Sums Input, Sums Weight, Sums Bias) DenseBackward(double[] g, double[] x, double[] w, int batch)
    {
        int n = g.Length / batch, k = x.Length / batch;
        Sums input = new(batch * k, n), weight = new(n * k, batch), bias = new(n, batch);
        for (var b = 0; b < batch; b++)
        {
            for (var o = 0; o < n; o++)
            {
                bias.Add(o, g[b * n + o]);
                for (var i = 0; i < k; i++)
                {
                    input.Add(b * k + i, g[b * n + o] * w[o * k + i]);
                    weight.Add(o * k + i, g[b * n + o] * x[b * k + i]);
                }
            }
        }

        return (input, weight, bias);
    }

    /// <summary>x (B, Cin, H, W), w (Cout, Cin, 3, 3), bias (Cout) to (B, Cout, H, W).</summary>
    public static Sums Conv3x3(double[] x, double[] w, double[] bias, int batch, int height, int width)
    {
        int cout = bias.Length, cin = w.Length / (9 * cout);
        var y = new Sums(batch * cout * height * width, 9 * cin + 1);
        for (var i = 0; i < y.Values.Length; i++)
            y.Add(i, bias[i / (height * width) % cout]);
        ForEachTap(batch, cin, cout, height, width, (input, weight, output) => y.Add(output, x[input] * w[weight]));
        return y;
    }

    /// <summary>Gradients of x, w and bias from g (B, Cout, H, W).</summary>
    public static (Sums Input, Sums Weight, Sums Bias) Conv3x3Backward(
        double[] g, double[] x, double[] w, int cout, int batch, int height, int width)
    {
        var cin = w.Length / (9 * cout);
        Sums input = new(x.Length, 9 * cout), weight = new(w.Length, batch * height * width), bias = new(cout, batch * height * width);
        for (var i = 0; i < g.Length; i++)
            bias.Add(i / (height * width) % cout, g[i]);
        ForEachTap(batch, cin, cout, height, width, (xi, wi, gi) =>
        {
            input.Add(xi, g[gi] * w[wi]);
            weight.Add(wi, g[gi] * x[xi]);
        });
        return (input, weight, bias);
    }

    /// <summary>x (planes, H, W) to (planes, ⌊H/2⌋, ⌊W/2⌋), with where each maximum was first found.</summary>
    public static (double[] Values, int[] Winners) MaxPool(double[] x, int height, int width)
    {
        int planes = x.Length / (height * width), rows = height / 2, columns = width / 2;
        var values = new double[planes * rows * columns];
        var winners = new int[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            int plane = i / (rows * columns), p = i / columns % rows, q = i % columns;
            winners[i] = -1;
            for (var r = 0; r < 2; r++)
            {
                for (var s = 0; s < 2; s++)
                {
                    var source = (plane * height + 2 * p + r) * width + 2 * q + s;
                    if (winners[i] < 0 || x[source] > values[i])
                        (values[i], winners[i]) = (x[source], source);
                }
            }
        }

        return (values, winners);
    }

    /// <summary>0 to 3, row by row within the window, for an index into (planes, H, W).</summary>
    public static float PlaceInWindow(int index, int height, int width) => 2 * (index / width % height % 2) + index % width % 2;

    /// <summary>The gradient of x: g at the winners, zero elsewhere.</summary>
    public static double[] MaxPoolBackward(double[] g, int[] winners, int length)
    {
        var gradient = new double[length];
        for (var i = 0; i < g.Length; i++)
            gradient[winners[i]] += g[i];
        return gradient;
    }

    /// <summary>x (planes, H, W) to (planes, 2H, 2W).</summary>
    public static Sums Upsample(double[] x, int height, int width, Interpolation interpolation)
    {
        var y = new Sums(4 * x.Length, 4);
        ForEachShare(x.Length / (height * width), height, width, interpolation, (i, o, share, error) =>
        {
            y.Add(o, share * x[i]);
            y.Magnitudes[o] += Math.Abs(error * x[i]) / Tolerance.Gamma(y.Depth);
        });
        return y;
    }

    /// <summary>The gradient of x from g (planes, 2H, 2W).</summary>
    public static Sums UpsampleBackward(double[] g, int height, int width, Interpolation interpolation)
    {
        var gradient = new Sums(g.Length / 4, 16);
        ForEachShare(gradient.Values.Length / (height * width), height, width, interpolation, (i, o, share, error) =>
        {
            gradient.Add(i, share * g[o]);
            gradient.Magnitudes[i] += Math.Abs(error * g[o]) / Tolerance.Gamma(gradient.Depth);
        });
        return gradient;
    }

    /// <summary>y and t (B, N) to each image's mean of squares, and the gradient 2/(B·N)·(y − t).</summary>
    public static (Sums Losses, double[] Gradient) MeanSquaredError(double[] y, double[] t, int batch)
    {
        var n = y.Length / batch;
        var losses = new Sums(batch, n);
        for (var i = 0; i < y.Length; i++)
            losses.Add(i / n, (y[i] - t[i]) * (y[i] - t[i]) / n);
        return (losses, [.. y.Select((value, i) => 2.0 / y.Length * (value - t[i]))]);
    }

    /// <summary>y and t (B, N) to each image's mean binary cross-entropy, with PyTorch's bounds, and its gradient.</summary>
    public static (Sums Losses, double[] Gradient) BinaryCrossEntropy(double[] y, double[] t, int batch)
    {
        var n = y.Length / batch;
        var losses = new Sums(batch, n);
        for (var i = 0; i < y.Length; i++)
        {
            losses.Add(i / n, -t[i] * Math.Max(-100, Math.Log(y[i])) / n);
            losses.Add(i / n, -(1 - t[i]) * Math.Max(-100, Math.Log(1 - y[i])) / n);
        }

        return (losses, [.. y.Select((value, i) => (value - t[i]) / Math.Max(value * (1 - value), 1e-12) / y.Length)]);
    }

    /// <summary>What clip_grad_norm_ multiplies gradients by.</summary>
    public static double ClipFactor(double[] gradient, double maximalNorm) =>
        Math.Min(1, maximalNorm / (Math.Sqrt(gradient.Sum(g => g * g)) + 1e-6));

    private static void ForEachTap(int batch, int cin, int cout, int height, int width, Action<int, int, int> visit)
    {
        for (var b = 0; b < batch; b++)
        {
            for (var n = 0; n < cout; n++)
            {
                for (var c = 0; c < cin; c++)
                {
                    for (var tap = 0; tap < 9; tap++)
                    {
                        int dy = tap / 3 - 1, dx = tap % 3 - 1;
                        for (var p = Math.Max(0, -dy); p < Math.Min(height, height - dy); p++)
                        {
                            for (var q = Math.Max(0, -dx); q < Math.Min(width, width - dx); q++)
                            {
                                visit(
                                    ((b * cin + c) * height + p + dy) * width + q + dx,
                                    (n * cin + c) * 9 + tap,
                                    ((b * cout + n) * height + p) * width + q);
                            }
                        }
                    }
                }
            }
        }
    }

    /// <summary>
    /// Visits (input, output, share, what a float32 share may be off by) of every pair that meets; aligned corners, so
    /// s = p·(H−1)/(2H−1). A float32 share is a position less its integer part and keeps the position's two roundings.
    /// </summary>
    private static void ForEachShare(
        int planes, int height, int width, Interpolation interpolation, Action<int, int, double, double> visit)
    {
        for (var plane = 0; plane < planes; plane++)
        {
            for (var p = 0; p < 2 * height; p++)
            {
                for (var q = 0; q < 2 * width; q++)
                {
                    foreach (var (i, vertical) in Shares(p, height, interpolation))
                    {
                        foreach (var (j, horizontal) in Shares(q, width, interpolation))
                        {
                            var error = interpolation == Interpolation.Nearest ? 0 : 2 * (i * horizontal + j * vertical) * Tolerance.Rounding;
                            visit((plane * height + i) * width + j, (plane * 2 * height + p) * 2 * width + q, vertical * horizontal, error);
                        }
                    }
                }
            }
        }
    }

    private static (int Input, double Share)[] Shares(int output, int inputs, Interpolation interpolation)
    {
        if (interpolation == Interpolation.Nearest)
            return [(output / 2, 1)];
        var position = (double)output * (inputs - 1) / (2 * inputs - 1);
        var first = (int)position;
        return position == first ? [(first, 1)] : [(first, first + 1 - position), (first + 1, position - first)];
    }
}
