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

    static abstract T Broadcast(float value);

    static abstract void Store(T value, float* target);

    static abstract T operator +(T a, T b);

    static abstract T operator -(T a, T b);

    static abstract T operator *(T a, T b);

    /// <summary>a·b + c, fused where the machine can.</summary>
    static abstract T MultiplyAdd(T a, T b, T c);

    /// <summary>The greater of two; which of them for NaN is not defined.</summary>
    static abstract T Max(T a, T b);

    /// <summary>max(0, x); NaN stays NaN.</summary>
    static abstract T Relu(T x);

    /// <summary>1 / (1 + e⁻ˣ).</summary>
    static abstract T Sigmoid(T x);

    /// <summary><paramref name="value"/> where <paramref name="y"/> is above zero, else 0.</summary>
    static abstract T WherePositive(T y, T value);

    /// <summary><paramref name="value"/> where both are equal, else <paramref name="otherwise"/>.</summary>
    static abstract T WhereEqual(T a, T b, T value, T otherwise);

    /// <summary>The sum of all elements.</summary>
    static abstract float Sum(T x);
}
