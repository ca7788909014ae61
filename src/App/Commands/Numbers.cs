using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace AutoencoderGpu.App.Commands;

/// <summary>Options that take numbers, written as in English whatever the machine's language; a wrong one is named in one line.</summary>
internal static class Numbers
{
    /// <summary>A slip such as 1-1000000000 is not to take all memory.</summary>
    private const int LongestRange = 10_000;

    /// <summary>Reads one number.</summary>
    /// <returns>False if the text is none that is allowed.</returns>
    public delegate bool Parser<T>(string text, out T value);

    /// <summary>An option that takes an integer within bounds.</summary>
    public static Option<int> AtLeast(string name, int minimum, int standard, string description, int maximum = int.MaxValue)
    {
        var range = maximum == int.MaxValue ? $"{minimum} up" : $"{minimum} to {maximum}";
        return One(name, description, "n", standard, Whole(minimum, maximum), $"a whole number from {range}");
    }

    /// <summary>An option that takes a count of at least 1, or is not given.</summary>
    public static Option<int?> Limit(string name, string description) => Optional(name, description, "n", Whole(1), "a whole number from 1 up");

    /// <summary>An option that takes a count from 0 up, or is not given.</summary>
    public static Option<int?> OptionalWhole(string name, string description) =>
        Optional(name, description, "n", Whole(0), "a whole number from 0 up");

    /// <summary>An option that takes a number from 0 up, or is not given.</summary>
    public static Option<double?> OptionalReal(string name, string description) =>
        Optional<double>(name, description, "x", ParseAmount, "a number from 0 up");

    /// <summary>An option that takes an amount of memory, such as 512M, or is not given.</summary>
    public static Option<long?> Bytes(string name, string description) =>
        Optional<long>(name, description, "size", ParseBytes, "an amount of memory such as 512M or 1.5G");

    /// <summary>An option that takes one value.</summary>
    public static Option<T> One<T>(string name, string description, string helpName, T standard, Parser<T> parse, string kind) => new(name)
    {
        Description = description,
        HelpName = helpName,
        DefaultValueFactory = _ => standard,
        CustomParser = result => Parse(result, name, parse, kind, standard),
    };

    /// <summary>An option that takes values separated by commas.</summary>
    /// <param name="valuesOf">What a part between commas stands for; none if it is wrong.</param>
    public static Option<T[]> List<T>(string name, string description, string helpName, T[] standard, Func<string, T[]> valuesOf) => new(name)
    {
        Description = description,
        HelpName = helpName,
        DefaultValueFactory = _ => standard,
        CustomParser = result =>
        {
            var parts = result.Tokens[0].Value.Split(',').Select(valuesOf).ToArray();
            if (parts.Any(part => part.Length == 0))
                result.AddError($"{name} takes a list such as {helpName}, not '{result.Tokens[0].Value}'");
            return [.. parts.SelectMany(part => part).Distinct()];
        },
    };

    /// <summary>A learning rate, for <see cref="List"/>.</summary>
    public static double[] RatesOf(string part) => ParseRate(part, out var rate) ? [rate] : [];

    /// <summary>A seed, or all from one to another such as <c>1-50</c>, for <see cref="List"/>.</summary>
    public static ulong[] SeedsOf(string part) => part.Split('-') switch
    {
        [var one] when ParseSeed(one, out var seed) => [seed],
        [var one, var other] when ParseSeed(one, out var first) && ParseSeed(other, out var last) && first <= last && last - first < LongestRange =>
            [.. Enumerable.Range(0, (int)(last - first) + 1).Select(i => first + (ulong)i)],
        _ => [],
    };

    /// <summary>A learning rate: above 0 and finite, both in single precision.</summary>
    public static bool ParseRate(string text, out double value) => ParseReal(text, out value) && (float)value > 0;

    /// <summary>A number from 0 up that is finite in single precision, and 0 there only if it is.</summary>
    public static bool ParseAmount(string text, out double value) => ParseReal(text, out value) && (value == 0 || (float)value > 0);

    /// <summary>A seed: whole, from 0 up.</summary>
    public static bool ParseSeed(string text, out ulong value) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    /// <summary>Bytes, or with K, M or G behind them 1024, 1024² or 1024³ times as many; at least one.</summary>
    private static bool ParseBytes(string text, out long value)
    {
        var power = text.Length == 0 ? 0 : 1 + "KMG".IndexOf(char.ToUpperInvariant(text[^1]));
        var isNumber = ParseReal(power > 0 ? text[..^1] : text, out var number);
        number *= Math.Pow(1024, power);
        value = (long)number;
        return isNumber && number is >= 1 and < long.MaxValue;
    }

    private static bool ParseReal(string text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite((float)value);

    private static Parser<int> Whole(int minimum, int maximum = int.MaxValue) => (string text, out int value) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && value >= minimum && value <= maximum;

    private static Option<T?> Optional<T>(string name, string description, string helpName, Parser<T> parse, string kind)
        where T : struct => new(name)
        {
            Description = description,
            HelpName = helpName,
            CustomParser = result => Parse(result, name, parse, kind, default),
        };

    private static T Parse<T>(ArgumentResult result, string name, Parser<T> parse, string kind, T standard)
    {
        if (parse(result.Tokens[0].Value, out var value))
            return value;
        result.AddError($"{name} takes {kind}, not '{result.Tokens[0].Value}'");
        return standard;
    }
}
