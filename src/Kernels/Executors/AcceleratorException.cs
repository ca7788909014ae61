namespace AutoencoderGpu.Kernels.Executors;

/// <summary>That no accelerator of the kind asked for is there, or that it does not suffice; the message says what is missing.</summary>
public sealed class AcceleratorException : Exception
{
    /// <param name="message">One line.</param>
    /// <param name="inner">What caused it.</param>
    public AcceleratorException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>Whether there is no usable device of the kind at all, rather than one that fails.</summary>
    public bool IsMissing { get; internal init; }

    /// <summary>Whether its memory does not suffice.</summary>
    public bool IsOutOfMemory { get; init; }
}
