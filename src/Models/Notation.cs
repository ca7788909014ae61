using System.Globalization;
using System.Text;
using AutoencoderGpu.Kernels;

namespace AutoencoderGpu.Models;

/// <summary>
/// Networks as text, in the field's way of writing. Layers are separated by commas, a bar stands behind the code:
/// <c>conv 16 relu, pool, flatten, dense 32 | dense 3136 relu, unflatten 14x14x16, up, conv 1 sigmoid</c>. Sizes with dashes are dense layers,
/// ReLU between and sigmoid at the end, of which the smallest is the code: <c>784-64-784</c>.
/// </summary>
public static class Notation
{
    private static readonly Dictionary<string, Entry> _layers = typeof(Layer).Assembly.GetTypes()
        .Where(type => type.IsSubclassOf(typeof(Layer)) && !type.IsAbstract)
        .SelectMany(type => type.GetInterfaces().Where(face => face.IsGenericType && face.GetGenericTypeDefinition() == typeof(INotated<>)))
        .Select(face => (Entry)Activator.CreateInstance(typeof(Entry<>).MakeGenericType(face.GenericTypeArguments))!)
        .OrderBy(entry => entry.Word, StringComparer.Ordinal)
        .ToDictionary(entry => entry.Word);

    /// <summary>What can be written, for help.</summary>
    public static IEnumerable<(string Form, string Meaning)> Forms =>
    [
        .. _layers.Values.Select(entry => (entry.Form, entry.Meaning)),
        ("|", "behind the layer that makes the code; where there is none, the smallest output is it"),
        ("N-M-…-N", "dense layers, ReLU between, sigmoid at the end"),
    ];

    /// <summary>The words for activations; none for a layer without.</summary>
    public static IEnumerable<string> ActivationWords => Enum.GetNames<Activation>().Select(name => name.ToLowerInvariant());

    /// <summary>The network that a text describes.</summary>
    /// <param name="text">As above.</param>
    /// <param name="input">An image's shape.</param>
    /// <param name="interpolation">Of <c>up</c> where it does not say.</param>
    /// <exception cref="NotationException">The text is wrong, or its layers do not fit together; it says where.</exception>
    public static Network Parse(string text, Shape input, Interpolation interpolation)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (layers, places, code) = text.Trim() is { Length: > 0 } dashes && char.IsAsciiDigit(dashes[0]) && !text.Contains(',', StringComparison.Ordinal)
            ? Dense(text, input)
            : Layers(text, interpolation);
        Place(text, input, layers, places);
        return Named(input, layers, code < 0 ? CodeOf(layers, input) : code);
    }

    /// <summary>The text of a network, from which <see cref="Parse"/> makes it again, but for the names of its layers.</summary>
    public static string Of(Network network)
    {
        var text = new StringBuilder();
        for (var i = 0; i < network.Layers.Count; i++)
            text.Append(i == 0 ? "" : i == network.EncoderLayers ? " | " : ", ").Append(network.Layers[i].Notation);
        if (network.EncoderLayers == network.Layers.Count)
            text.Append(" |");
        return Dashes(network) ?? text.ToString();
    }

    /// <summary>The short form of dense layers, where a network has it.</summary>
    private static string? Dashes(Network network)
    {
        var dense = network.Layers.OfType<DenseLayer>().ToList();
        if (dense.Count < 2 || dense[^1].Outputs != network.Input.Size)
            return null;
        var text = string.Join('-', dense.Select(layer => layer.Outputs).Prepend(network.Input.Size).Select(size => size.ToString(CultureInfo.InvariantCulture)));
        var (layers, _, code) = Dense(text, network.Input);
        return code == network.EncoderLayers && layers.SequenceEqual(network.Layers.Select(layer => layer is DenseLayer named ? named with { Name = null } : layer))
            ? text
            : null;
    }

    private static (List<Layer> Layers, List<(int, int)> Places, int Code) Dense(string text, Shape input)
    {
        var words = new NotationWords(text, 0, text.Length, default, "-");
        var sizes = new List<(int Size, (int, int) Place)>();
        do
            sizes.Add((words.Number("values"), words.Last));
        while (words.IsSeparated);
        words.RequireEnd("sizes have dashes between them and nothing else; activations stand in layers, as in dense 64 tanh | dense 784");
        if (sizes.Count < 3 || sizes[0].Size != input.Size || sizes[^1].Size != input.Size)
        {
            var place = sizes[0].Size != input.Size ? sizes[0].Place : sizes[^1].Place;
            throw new NotationException(
                text, place.Item1, place.Item2, $"sizes begin and end with that of an image, {input.Size} for {input}, with the code between, as in {input.Size}-64-{input.Size}");
        }

        var layers = new List<Layer>();
        var places = new List<(int, int)>();
        var code = sizes.Index().Skip(1).SkipLast(1).MinBy(entry => entry.Item.Size).Index;
        if (input.Channels > 1)
        {
            layers.Add(new FlattenLayer());
            places.Add(sizes[0].Place);
        }

        foreach (var (i, (size, place)) in sizes.Index().Skip(1))
        {
            layers.Add(new DenseLayer(null, size, i == sizes.Count - 1 ? Activation.Sigmoid : Activation.Relu));
            places.Add(place);
        }

        if (input.Channels > 1)
        {
            layers.Add(new UnflattenLayer(input));
            places.Add(sizes[^1].Place);
            code++;
        }

        return (layers, places, code);
    }

    private static (List<Layer> Layers, List<(int, int)> Places, int Code) Layers(string text, Interpolation interpolation)
    {
        var layers = new List<Layer>();
        var places = new List<(int, int)>();
        var code = -1;
        for (var start = 0; start <= text.Length;)
        {
            if (code == layers.Count && text.AsSpan(start).IsWhiteSpace())
                break;
            var end = text.AsSpan(start).IndexOfAny(',', '|') is var at and >= 0 ? start + at : text.Length;
            var words = new NotationWords(text, start, end, interpolation);
            var word = words.Next("a layer");
            if (!_layers.TryGetValue(word, out var layer))
            {
                var (first, length) = words.Last;
                throw new NotationException(text, first, length, $"'{word}' is no layer; there are {string.Join(", ", _layers.Keys)}");
            }

            layers.Add(layer.Parse(words));
            places.Add((words.Start, words.End - words.Start));
            words.RequireEnd();
            if (end < text.Length && text[end] == '|')
            {
                if (code >= 0)
                    throw new NotationException(text, end, 1, "there is one code, and one bar behind it");
                code = layers.Count;
            }

            start = end + 1;
        }

        return (layers, places, code);
    }

    /// <summary>Looks whether each layer takes what the one in front of it makes.</summary>
    private static void Place(string text, Shape input, List<Layer> layers, List<(int Start, int Length)> places)
    {
        var shape = input;
        var weights = 0;
        for (var i = 0; i < layers.Count; i++)
        {
            try
            {
                var read = shape;
                shape = layers[i].OutputOf(read);
                _ = shape.Size;
                weights = checked(weights + layers[i].ParametersOf(read).Sum(parameter => parameter.Count));
            }
            catch (Exception e) when (e is ArgumentException or OverflowException)
            {
                throw new NotationException(text, places[i].Start, places[i].Length, e is OverflowException ? "this is too large" : e.Message.TrimEnd('.'));
            }
        }

        if (weights == 0)
            throw new NotationException(text, places[0].Start, places[0].Length, "no layer has weights, so there is nothing to train");
        if (shape != input && !(layers[^1] is DenseLayer && input.Channels == 1 && shape.Size == input.Size))
        {
            throw new NotationException(
                text, places[^1].Start, places[^1].Length, $"it ends in {shape}, and an image is {input}: {Remedy(shape, input)}");
        }
    }

    private static string Remedy(Shape shape, Shape input) =>
        shape.IsFlat && shape.Size == input.Size ? $"unflatten {input.Height}x{input.Width}x{input.Channels} comes last"
        : shape.IsFlat ? $"the last layer is dense {input.Size}"
        : shape with { Channels = input.Channels } == input ? $"the last layer is conv {input.Channels}"
        : "what pools take away and ups give back must come to the image's height and width";

    /// <summary>Where no bar stands, the smallest output makes the code, the first of several.</summary>
    private static int CodeOf(List<Layer> layers, Shape input)
    {
        var shape = input;
        var sizes = layers.Select(layer => (shape = layer.OutputOf(shape)).Size).ToList();
        return sizes.Count == 1 ? 1 : sizes.IndexOf(sizes.SkipLast(1).Min()) + 1;
    }

    private static Network Named(Shape input, List<Layer> layers, int code)
    {
        var network = new Network("", "", "", input, layers, code);
        var notation = Of(network);
        return network with { Name = Slug(notation), Title = Shortened(notation, 40), FullName = "Autoencoder " + Shortened(notation, 80) };
    }

    /// <summary>A name for files: the text where it is short, else its beginning and a number that tells it from others that begin alike.</summary>
    private static string Slug(string notation)
    {
        const int most = 40;
        var slug = new string([.. notation.Where(c => c != ' ').Select(c => char.IsAsciiLetterOrDigit(c) ? c : c == '|' ? '_' : '-')]);
        if (slug.Length <= most)
            return slug;
        // FNV-1a.
        var hash = notation.Aggregate(2166136261u, (sum, c) => unchecked((sum ^ c) * 16777619));
        return string.Create(CultureInfo.InvariantCulture, $"{slug[..Math.Min(slug.Length, most - 5)].Trim('-')}-{hash & 0xffff:x4}");
    }

    private static string Shortened(string text, int most) => text.Length <= most ? text : text[..(most - 1)] + "…";

    /// <summary>A layer that can be written.</summary>
    private abstract record Entry(string Word, string Form, string Meaning)
    {
        public abstract Layer Parse(NotationWords words);
    }

    private sealed record Entry<T>() : Entry(T.Form.Split(' ')[0], T.Form, T.Meaning)
        where T : Layer, INotated<T>
    {
        public override Layer Parse(NotationWords words) => T.Parse(words);
    }
}
