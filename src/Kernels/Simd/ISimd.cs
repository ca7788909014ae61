namespace AutoencoderGpu.Kernels.Simd;

/// <summary>
/// A vector of floats. CPU kernels are written once over this interface; the just-in-time compiler makes one version a width
/// of them, in which every call below is one or a few machine instructions.
/// </summary>
internal unsafe interface ISimd<T>
    where T : unmanaged, ISimd<T>
{
    /// <summary>Floats in the vector.</summary>
    static abstract int Width { get; }

    static abstract T Load(float* source);

    /// <summary>As many bytes as floats.</summary>
    static abstract T LoadBytes(byte* source);

    static abstract T Broadcast(float value);

    static abstract void Store(T value, float* target);

    static abstract T operator +(T a, T b);

    static abstract T operator -(T a, T b);

    static abstract T operator *(T a, T b);

    static abstract T operator /(T a, T b);

    /// <summary>a·b + c, fused where the machine can.</summary>
    static abstract T MultiplyAdd(T a, T b, T c);

    /// <summary>
    /// sum += a·b, fused where the machine can. Written to the sum in place: the compiler moves the result of
    /// <see cref="MultiplyAdd"/> through another register, which adds instructions to a tile's loop.
    /// </summary>
    static abstract void AddProduct(T a, T b, ref T sum);

    /// <summary>The greater of two; NaN where <paramref name="b"/> is, and either of them where only <paramref name="a"/> is.</summary>
    static abstract T Max(T a, T b);

    /// <summary>max(0, x); NaN stays NaN.</summary>
    static abstract T Relu(T x);

    /// <summary>2ⁿ for whole n from −126 to 127; anything for others.</summary>
    static abstract T PowerOfTwo(T n);

    /// <summary>The whole n for which 2ⁿ ≤ x &lt; 2ⁿ⁺¹, for normal x above 0; anything for others.</summary>
    static abstract T Exponent(T x);

    /// <summary>x / 2ⁿ with n of <see cref="Exponent"/>, from 1 to 2.</summary>
    static abstract T Mantissa(T x);

    /// <summary>√x.</summary>
    static abstract T Sqrt(T x);

    /// <summary><paramref name="value"/> where <paramref name="y"/> is above zero, else 0.</summary>
    static abstract T WherePositive(T y, T value);

    /// <summary><paramref name="value"/> where both are equal, else <paramref name="otherwise"/>.</summary>
    static abstract T WhereEqual(T a, T b, T value, T otherwise);

    /// <summary>The sum of all elements.</summary>
    static abstract float Sum(T x);

    /// <summary>The sums of all elements of each, one after another: half the work of four <see cref="Sum"/>.</summary>
    static abstract void StoreSums(T a, T b, T c, T d, float* target);
}
