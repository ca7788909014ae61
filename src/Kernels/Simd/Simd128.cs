using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace AutoencoderGpu.Kernels.Simd;

/// <summary>4 floats in one vector of 128 bits (SSE, Arm64).</summary>
internal unsafe struct Simd128(Vector128<float> v) : ISimd<Simd128>
{
    private Vector128<float> _v = v;

    /// <summary>As .NET knows it, for wider vectors that are made of two such halves.</summary>
    public readonly Vector128<float> Value => _v;

    public static int Width => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Load(float* source) => new(Vector128.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 LoadBytes(byte* source)
    {
        var bytes = Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<uint>(source)).AsByte();
        return new(Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(bytes)).AsInt32()));
    }

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
    public static Simd128 operator /(Simd128 a, Simd128 b) => new(a._v / b._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 MultiplyAdd(Simd128 a, Simd128 b, Simd128 c) => new(Vector128.MultiplyAddEstimate(a._v, b._v, c._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddProduct(Simd128 a, Simd128 b, ref Simd128 sum) => sum._v = Vector128.MultiplyAddEstimate(a._v, b._v, sum._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Max(Simd128 a, Simd128 b) => new(Vector128.MaxNative(a._v, b._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Relu(Simd128 x) => new(Vector128.ConditionalSelect(Vector128.LessThan(x._v, Vector128<float>.Zero), Vector128<float>.Zero, x._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 PowerOfTwo(Simd128 n) =>
        new(Vector128.ShiftLeft(Vector128.ConvertToInt32Native(n._v) + Vector128.Create(127), 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Exponent(Simd128 x) =>
        new(Vector128.ConvertToSingle(Vector128.ShiftRightLogical(x._v.AsInt32(), 23) - Vector128.Create(127)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Mantissa(Simd128 x) =>
        new(((x._v.AsInt32() & Vector128.Create(0x007fffff)) | Vector128.Create(0x3f800000)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 Sqrt(Simd128 x) => new(Vector128.Sqrt(x._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 WherePositive(Simd128 y, Simd128 value) =>
        new(Vector128.GreaterThan(y._v, Vector128<float>.Zero) & value._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd128 WhereEqual(Simd128 a, Simd128 b, Simd128 value, Simd128 otherwise) =>
        new(Vector128.ConditionalSelect(Vector128.Equals(a._v, b._v), value._v, otherwise._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Simd128 x) => Vector128.Sum(x._v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(Simd128 a, Simd128 b, Simd128 c, Simd128 d, float* target) =>
        PairSums(PairSums(a._v, b._v), PairSums(c._v, d._v)).Store(target);

    /// <summary>a₀ + a₁, a₂ + a₃, b₀ + b₁, b₂ + b₃.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> PairSums(Vector128<float> a, Vector128<float> b)
    {
        if (Sse3.IsSupported)
            return Sse3.HorizontalAdd(a, b);
        if (AdvSimd.Arm64.IsSupported)
            return AdvSimd.Arm64.AddPairwise(a, b);
        return Vector128.Create(a[0] + a[1], a[2] + a[3], b[0] + b[1], b[2] + b[3]);
    }
}
