namespace AutoencoderGpu.Models;

/// <summary>A layer that can be written in the <see cref="Notation"/>, which finds it by its being one.</summary>
internal interface INotated<T>
    where T : Layer, INotated<T>
{
    /// <summary>Its word and what follows it, for help, such as <c>conv N [ACTIVATION]</c>.</summary>
    static abstract string Form { get; }

    /// <summary>What it means, for help.</summary>
    static abstract string Meaning { get; }

    /// <summary>The layer from the words behind its own.</summary>
    static abstract T Parse(NotationWords words);
}
