using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace AutoencoderGpu.Kernels.Simd;

/// <summary>8 floats in one vector of 256 bits (AVX2).</summary>
internal unsafe struct Simd256(Vector256<float> v) : ISimd<Simd256>
{
    private Vector256<float> _v = v;

    /// <summary>As .NET knows it, for wider vectors that are made of two such halves.</summary>
    public readonly Vector256<float> Value => _v;

    public static int Width => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Load(float* source) => new(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 LoadBytes(byte* source) =>
        new(Vector256.Create(Simd128.LoadBytes(source).Value, Simd128.LoadBytes(source + 4).Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Broadcast(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Simd256 value, float* target) => value._v.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 operator +(Simd256 a, Simd256 b) => new(a._v + b._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 operator -(Simd256 a, Simd256 b) => new(a._v - b._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 operator *(Simd256 a, Simd256 b) => new(a._v * b._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 operator /(Simd256 a, Simd256 b) => new(a._v / b._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 MultiplyAdd(Simd256 a, Simd256 b, Simd256 c) => new(Vector256.MultiplyAddEstimate(a._v, b._v, c._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(Simd256 a, Simd256 b, ref Simd256 sum) => sum._v = Vector256.MultiplyAddEstimate(a._v, b._v, sum._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Max(Simd256 a, Simd256 b) => new(Vector256.MaxNative(a._v, b._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Relu(Simd256 x) => new(Vector256.ConditionalSelect(Vector256.LessThan(x._v, Vector256<float>.Zero), Vector256<float>.Zero, x._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 PowerOfTwo(Simd256 n) =>
        new(Vector256.ShiftLeft(Vector256.ConvertToInt32Native(n._v) + Vector256.Create(127), 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Exponent(Simd256 x) =>
        new(Vector256.ConvertToSingle(Vector256.ShiftRightLogical(x._v.AsInt32(), 23) - Vector256.Create(127)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Mantissa(Simd256 x) =>
        new(((x._v.AsInt32() & Vector256.Create(0x007fffff)) | Vector256.Create(0x3f800000)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 Sqrt(Simd256 x) => new(Vector256.Sqrt(x._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 WherePositive(Simd256 y, Simd256 value) =>
        new(Vector256.GreaterThan(y._v, Vector256<float>.Zero) & value._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd256 WhereEqual(Simd256 a, Simd256 b, Simd256 value, Simd256 otherwise) =>
        new(Vector256.ConditionalSelect(Vector256.Equals(a._v, b._v), value._v, otherwise._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Simd256 x) => Vector256.Sum(x._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(Simd256 a, Simd256 b, Simd256 c, Simd256 d, float* target) =>
        Simd128.StoreSums(Halves(a), Halves(b), Halves(c), Halves(d), target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Simd128 Halves(Simd256 x) => new(x._v.GetLower() + x._v.GetUpper());
}
