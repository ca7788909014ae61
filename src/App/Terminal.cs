using Spectre.Console;

namespace AutoencoderGpu.App;

/// <summary>Where output goes: data to standard output, progress and messages to standard error.</summary>
internal sealed class Terminal
{
    /// <summary>Opens both streams.</summary>
    /// <param name="json">Whether standard output is for one JSON object only.</param>
    /// <param name="quiet">Whether progress and messages are left out; errors never are.</param>
    /// <param name="noColor">Whether colours are left out, as also where NO_COLOR is set or a stream is not a terminal.</param>
    public Terminal(bool json, bool quiet, bool noColor)
    {
        IsJson = json;
        IsQuiet = quiet;
        MessageWriter = StandardStream.Messages();
        DataWriter = StandardStream.Data();
        Messages = Open(MessageWriter, Console.IsErrorRedirected, noColor);
        Data = Open(DataWriter, Console.IsOutputRedirected, noColor);
    }

    /// <summary>Standard error as text.</summary>
    public TextWriter MessageWriter { get; }

    /// <summary>Standard output as text.</summary>
    public TextWriter DataWriter { get; }

    /// <summary>Whether one JSON object is all that goes to standard output.</summary>
    public bool IsJson { get; }

    /// <summary>Whether only errors are said.</summary>
    public bool IsQuiet { get; }

    /// <summary>Standard error.</summary>
    public IAnsiConsole Messages { get; }

    /// <summary>Standard output.</summary>
    public IAnsiConsole Data { get; }

    /// <summary>A line on standard error.</summary>
    public void Say(string line)
    {
        if (!IsQuiet)
            Messages.MarkupLine(line);
    }

    /// <summary>A line that must be seen, also with <c>--quiet</c>.</summary>
    public void Warn(string line) => Messages.MarkupLine($"[bold yellow]warning:[/] {Markup.Escape(line)}");

    /// <summary>A table on standard output, or nothing where that is for JSON.</summary>
    public void Show(Table table)
    {
        if (IsJson)
            return;
        foreach (var part in NarrowTable.Of(table, Data))
            Data.Write(part);
    }

    /// <summary>The one JSON object on standard output.</summary>
    /// <exception cref="UserError">It cannot be written.</exception>
    public void WriteJson(string json) => DataWriter.Write(json.EndsWith('\n') ? json : json + "\n");

    /// <summary>A table in the program's one style; columns whose title begins with &gt; are numbers, set to the right.</summary>
    public static Table Table(params string[] columns)
    {
        var table = new Table().Border(TableBorder.Rounded).BorderColor(Color.Grey);
        foreach (var column in columns)
        {
            var isNumber = column.StartsWith('>');
            var header = new TableColumn(new Text(column.TrimStart('>'), new Style(decoration: Decoration.Bold)).Justify(
                isNumber ? Justify.Right : Justify.Left));
            // Where a terminal is narrow, text takes several lines before a number loses digits.
            table.AddColumn(isNumber ? header.RightAligned().NoWrap() : header);
        }

        return table;
    }

    private static IAnsiConsole Open(TextWriter writer, bool isRedirected, bool noColor)
    {
        var plain = noColor || isRedirected || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            ColorSystem = plain ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Ansi = isRedirected ? AnsiSupport.No : AnsiSupport.Detect,
            Interactive = isRedirected ? InteractionSupport.No : InteractionSupport.Detect,
            // They take a build server for a terminal.
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        // A line that goes to a file stays one line.
        if (isRedirected)
            console.Profile.Width = 1_000_000;
        return console;
    }
}
