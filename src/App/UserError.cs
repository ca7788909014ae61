namespace AutoencoderGpu.App;

/// <summary>The program's exit codes; scripts rely on them.</summary>
public enum ExitCode
{
    /// <summary>Everything asked for was done.</summary>
    Done = 0,

    /// <summary>Failed for a reason that no other code names.</summary>
    Failed = 1,

    /// <summary>Wrong usage: an unknown option, a value out of range.</summary>
    Usage = 2,

    /// <summary>The accelerator that was asked for is not there, fails or does not have enough memory.</summary>
    NoAccelerator = 3,

    /// <summary>Data or weights are missing or damaged.</summary>
    Data = 4,

    /// <summary>Training collapsed, or a loss was not finite.</summary>
    Collapsed = 5,

    /// <summary>Stopped by SIGHUP, as when a terminal is closed, after saving.</summary>
    HungUp = 129,

    /// <summary>Stopped by Ctrl-C after saving.</summary>
    Interrupted = 130,

    /// <summary>Stopped by SIGTERM after saving.</summary>
    Terminated = 143,
}

/// <summary>An error that a user can mend: one line that says what, where and what to do. It ends the program.</summary>
/// <param name="code">The exit code.</param>
/// <param name="message">One line, no stack trace.</param>
/// <param name="inner">What caused it, shown with <c>--verbose</c>.</param>
public sealed class UserError(ExitCode code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The exit code.</summary>
    public ExitCode Code { get; } = code;
}
