using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace AutoencoderGpu.Kernels.Simd;

/// <summary>16 floats in one vector of 512 bits (AVX-512).</summary>
internal unsafe struct Simd512(Vector512<float> v) : ISimd<Simd512>
{
    private Vector512<float> _v = v;

    public static int Width => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 Load(float* source) => new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 LoadBytes(byte* source) =>
        new(Vector512.Create(Simd256.LoadBytes(source).Value, Simd256.LoadBytes(source + 8).Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 Broadcast(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Simd512 value, float* target) => value._v.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 operator +(Simd512 a, Simd512 b) => new(a._v + b._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 operator -(Simd512 a, Simd512 b) => new(a._v - b._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 operator *(Simd512 a, Simd512 b) => new(a._v * b._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 operator /(Simd512 a, Simd512 b) => new(a._v / b._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 MultiplyAdd(Simd512 a, Simd512 b, Simd512 c) => new(Vector512.MultiplyAddEstimate(a._v, b._v, c._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(Simd512 a, Simd512 b, ref Simd512 sum) => sum._v = Vector512.MultiplyAddEstimate(a._v, b._v, sum._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 Max(Simd512 a, Simd512 b) => new(Vector512.MaxNative(a._v, b._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 Relu(Simd512 x) => new(Vector512.ConditionalSelect(Vector512.LessThan(x._v, Vector512<float>.Zero), Vector512<float>.Zero, x._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 PowerOfTwo(Simd512 n) =>
        new(Vector512.ShiftLeft(Vector512.ConvertToInt32Native(n._v) + Vector512.Create(127), 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 Exponent(Simd512 x) =>
        new(Vector512.ConvertToSingle(Vector512.ShiftRightLogical(x._v.AsInt32(), 23) - Vector512.Create(127)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 Mantissa(Simd512 x) =>
        new(((x._v.AsInt32() & Vector512.Create(0x007fffff)) | Vector512.Create(0x3f800000)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 Sqrt(Simd512 x) => new(Vector512.Sqrt(x._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 WherePositive(Simd512 y, Simd512 value) =>
        new(Vector512.GreaterThan(y._v, Vector512<float>.Zero) & value._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd512 WhereEqual(Simd512 a, Simd512 b, Simd512 value, Simd512 otherwise) =>
        new(Vector512.ConditionalSelect(Vector512.Equals(a._v, b._v), value._v, otherwise._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Simd512 x) => Vector512.Sum(x._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(Simd512 a, Simd512 b, Simd512 c, Simd512 d, float* target) =>
        Simd256.StoreSums(Halves(a), Halves(b), Halves(c), Halves(d), target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Simd256 Halves(Simd512 x) => new(x._v.GetLower() + x._v.GetUpper());
}
