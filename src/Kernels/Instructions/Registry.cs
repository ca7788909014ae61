namespace AutoencoderGpu.Kernels.Instructions;

/// <summary>Every operation there is, found by looking: an operation is registered by being there.</summary>
public static class Registry
{
    /// <summary>The operations' types, in the order of their names.</summary>
    public static IEnumerable<Type> Operations { get; } =
    [
        .. typeof(Registry).Assembly.GetTypes()
            .Where(type => type.IsValueType && type.GetInterfaces().Any(IsOperation))
            .OrderBy(type => type.Name, StringComparer.Ordinal),
    ];

    /// <summary>Every portable kernel.</summary>
    public static IEnumerable<PortableKernel> Kernels => Operations.SelectMany(KernelsOf).Distinct();

    /// <summary>The portable kernels of an operation.</summary>
    public static IReadOnlyList<PortableKernel> KernelsOf(Type operation) =>
        (IReadOnlyList<PortableKernel>)Activator.CreateInstance(typeof(Entry<>).MakeGenericType(operation))!;

    private static bool IsOperation(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IOperation<>);

    private sealed class Entry<T>() : List<PortableKernel>(T.Kernels.Select(kernel => kernel.Kernel))
        where T : unmanaged, IOperation<T>;
}
