using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace AutoencoderGpu.Kernels.Simd;

/// <summary>4 floats in one vector of 128 bits (SSE, Arm64).</summary>
internal readonly unsafe struct Simd128(Vector128<float> v) : ISimd<Simd128>
{
    private readonly Vector128<float> _v = v;

    public static int Width => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Load(float* source) => new(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Broadcast(float value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Simd128 value, float* target) => value._v.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 operator +(Simd128 a, Simd128 b) => new(a._v + b._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 operator -(Simd128 a, Simd128 b) => new(a._v - b._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 operator *(Simd128 a, Simd128 b) => new(a._v * b._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 MultiplyAdd(Simd128 a, Simd128 b, Simd128 c) => new(Vector128.MultiplyAddEstimate(a._v, b._v, c._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Max(Simd128 a, Simd128 b) => new(Vector128.MaxNative(a._v, b._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Relu(Simd128 x) => new(Vector128.ConditionalSelect(Vector128.LessThan(x._v, Vector128<float>.Zero), Vector128<float>.Zero, x._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Sigmoid(Simd128 x) => new(Vector128<float>.One / (Vector128<float>.One + Vector128.Exp(-x._v)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 WherePositive(Simd128 y, Simd128 value) =>
        new(Vector128.GreaterThan(y._v, Vector128<float>.Zero) & value._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 WhereEqual(Simd128 a, Simd128 b, Simd128 value, Simd128 otherwise) =>
        new(Vector128.ConditionalSelect(Vector128.Equals(a._v, b._v), value._v, otherwise._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Simd128 x) => Vector128.Sum(x._v);
}
