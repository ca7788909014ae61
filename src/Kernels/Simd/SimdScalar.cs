using System.Runtime.CompilerServices;

namespace AutoencoderGpu.Kernels.Simd;

/// <summary>One float: what is left of a row beside the last whole vector, and machines without vectors.</summary>
internal unsafe struct SimdScalar(float v) : ISimd<SimdScalar>
{
    private float _v = v;

    public static int Width => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar Load(float* source) => new(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar LoadBytes(byte* source) => new(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar Broadcast(float value) => new(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(SimdScalar value, float* target) => *target = value._v;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar operator +(SimdScalar a, SimdScalar b) => new(a._v + b._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar operator -(SimdScalar a, SimdScalar b) => new(a._v - b._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar operator /(SimdScalar a, SimdScalar b) => new(a._v / b._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar operator *(SimdScalar a, SimdScalar b) => new(a._v * b._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar MultiplyAdd(SimdScalar a, SimdScalar b, SimdScalar c) =>
        new(float.MultiplyAddEstimate(a._v, b._v, c._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(SimdScalar a, SimdScalar b, ref SimdScalar sum) => sum._v = float.MultiplyAddEstimate(a._v, b._v, sum._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar Max(SimdScalar a, SimdScalar b) => new(float.MaxNative(a._v, b._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar Relu(SimdScalar x) => new(x._v < 0f ? 0f : x._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar PowerOfTwo(SimdScalar n) =>
        new(BitConverter.Int32BitsToSingle((int.CreateTruncating(n._v) + 127) << 23));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar Exponent(SimdScalar x) => new((BitConverter.SingleToInt32Bits(x._v) >>> 23) - 127);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar Mantissa(SimdScalar x) =>
        new(BitConverter.Int32BitsToSingle((BitConverter.SingleToInt32Bits(x._v) & 0x007fffff) | 0x3f800000));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar Sqrt(SimdScalar x) => new(MathF.Sqrt(x._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar WherePositive(SimdScalar y, SimdScalar value) => new(y._v > 0f ? value._v : 0f);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SimdScalar WhereEqual(SimdScalar a, SimdScalar b, SimdScalar value, SimdScalar otherwise) =>
        new(a._v == b._v ? value._v : otherwise._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(SimdScalar x) => x._v;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(SimdScalar a, SimdScalar b, SimdScalar c, SimdScalar d, float* target) =>
        (target[0], target[1], target[2], target[3]) = (a._v, b._v, c._v, d._v);
}
