using System.Globalization;
using AutoencoderGpu.Kernels;

namespace AutoencoderGpu.Models;

/// <summary>The words of a layer, each with its place.</summary>
internal sealed class NotationWords
{
    private const int LargestNumber = 1 << 24;
    private const int LargestSide = 1 << 14;

    private readonly string _text;
    private readonly string _separators;
    private int _at;

    public NotationWords(string text, int start, int end, Interpolation interpolation, string separators = "")
    {
        (_text, _at, End, Interpolation, _separators) = (text, start, end, interpolation, separators);
        while (End > start && char.IsWhiteSpace(text[End - 1]))
            End--;
        Skip();
        Start = _at;
        Last = (_at, Math.Max(1, End - _at));
    }

    /// <summary>Of <c>up</c> where it does not say.</summary>
    public Interpolation Interpolation { get; }

    /// <summary>Where the first word begins.</summary>
    public int Start { get; }

    /// <summary>Behind the last word.</summary>
    public int End { get; }

    /// <summary>Where the last word is that was taken.</summary>
    public (int Start, int Length) Last { get; private set; }

    public bool IsAtEnd => _at >= End;

    /// <summary>Whether a separator stood behind the last word.</summary>
    public bool IsSeparated { get; private set; }

    /// <summary>The next word.</summary>
    /// <param name="what">What it says where there is none.</param>
    public string Next(string what)
    {
        var start = _at;
        while (!IsAtEnd && !char.IsWhiteSpace(_text[_at]) && !_separators.Contains(_text[_at], StringComparison.Ordinal))
            _at++;
        if (_at == start)
            throw new NotationException(_text, Math.Min(start, _text.Length), 1, $"{what} is missing here");
        Last = (start, Math.Max(1, _at - start));
        var word = _text[start.._at].ToLowerInvariant();
        Skip();
        return word;
    }

    /// <summary>The next word as a whole number above 0.</summary>
    public int Number(string what)
    {
        var word = Next($"the number of {what}");
        return int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= LargestNumber
            ? number
            : throw Wrong($"'{word}' is no number of {what}, which is whole and from 1 to {LargestNumber}");
    }

    /// <summary>The next word as an activation, or none.</summary>
    public Activation OptionalActivation()
    {
        if (IsAtEnd)
            return Activation.None;
        var word = Next("an activation");
        return Enum.TryParse<Activation>(word, ignoreCase: true, out var activation) && char.IsAsciiLetter(word[0])
            ? activation
            : throw Wrong($"'{word}' is no activation; there are {string.Join(", ", Notation.ActivationWords)}");
    }

    /// <summary>The next word as one of an enumeration's names, or the usual one.</summary>
    public T Choice<T>(T usual, string what)
        where T : struct, Enum
    {
        if (IsAtEnd)
            return usual;
        var word = Next(what);
        return Enum.TryParse<T>(word, ignoreCase: true, out var choice) && char.IsAsciiLetter(word[0]) ? choice : throw Wrong($"'{word}' is not {what}");
    }

    /// <summary>The next word as a shape.</summary>
    public Shape Shape()
    {
        var word = Next("a shape such as 7x7x8");
        int[] sizes = [.. word.Split('x', '×').Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : 0)];
        return sizes.Length == 3 && sizes.All(size => size is > 0 and <= LargestSide)
            ? new(sizes[0], sizes[1], sizes[2])
            : throw Wrong($"'{word}' is no shape, which is height x width x channels, as in 7x7x8");
    }

    /// <summary>Throws where words are left.</summary>
    /// <param name="rule">What belongs there.</param>
    public void RequireEnd(string rule = "a comma or the bar stands between layers")
    {
        if (!IsAtEnd)
            throw Wrong($"'{Next("")}' is too much; {rule}");
    }

    private NotationException Wrong(string reason) => new(_text, Last.Start, Last.Length, reason);

    private void Skip()
    {
        SkipSpace();
        IsSeparated = !IsAtEnd && _separators.Contains(_text[_at], StringComparison.Ordinal);
        if (IsSeparated)
            _at++;
        SkipSpace();
    }

    private void SkipSpace()
    {
        while (!IsAtEnd && char.IsWhiteSpace(_text[_at]))
            _at++;
    }
}
