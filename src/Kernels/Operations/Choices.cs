namespace AutoencoderGpu.Kernels.Operations;

/// <summary>Finds what a user may choose from by looking which public classes there are.</summary>
internal static class Choices
{
    /// <summary>One of each class, the usual one first and the others in the order of their names.</summary>
    /// <param name="nameOf">Its name.</param>
    /// <param name="usual">The usual one's.</param>
    /// <param name="arguments">What constructors take that take something.</param>
    public static IReadOnlyList<T> Of<T>(Func<T, string> nameOf, string usual, params object[] arguments)
    {
        var choices = new List<T>();
        foreach (var type in typeof(T).Assembly.GetExportedTypes())
        {
            if (type.IsSubclassOf(typeof(T)) && !type.IsAbstract)
                choices.Add((T)Activator.CreateInstance(type, type.GetConstructor(Type.EmptyTypes) is null ? arguments : [])!);
        }

        string Key(T choice) => nameOf(choice) == usual ? "" : nameOf(choice);
        choices.Sort((first, second) => string.CompareOrdinal(Key(first), Key(second)));
        return choices;
    }
}
