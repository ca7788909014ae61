using Spectre.Console;
using Spectre.Console.Rendering;

namespace AutoencoderGpu.App;

/// <summary>Tables that are wider than the terminal: texts are broken before numbers are.</summary>
internal static class NarrowTable
{
    private const int Rule = 3; // a column's line and padding
    private const int LeastText = 12;

    /// <summary>What to show in place of a table.</summary>
    /// <returns>
    /// The table itself where it fits; else with titles and texts in several lines, and the columns that find no room in further tables, which begin
    /// with the first column again.
    /// </returns>
    public static IReadOnlyList<Table> Of(Table table, IAnsiConsole console)
    {
        var options = RenderOptions.Create(console, console.Profile.Capabilities);
        Measurement Measure(IRenderable cell) => cell.Measure(options, int.MaxValue);
        var natural = table.Columns.Select((column, i) => table.Rows.Select(row => Measure(row[i]).Max).Append(Measure(column.Header).Max).Max()).ToArray();
        var width = console.Profile.Width - 1;
        if (natural.Length < 2 || natural.Sum(column => Rule + column) <= width)
            return [table];

        int[] widths =
        [
            .. table.Columns.Select((column, i) => column.NoWrap
                ? table.Rows.Select(row => Measure(row[i]).Max).Append(Measure(column.Header).Min).Max()
                : Math.Min(natural[i], Math.Max(LeastText, width / 4))),
        ];
        var blocks = new List<List<int>>();
        var room = 0;
        // What is left of a table's width goes to the texts in it.
        void Widen(IEnumerable<int> columns)
        {
            foreach (var i in columns)
            {
                var more = Math.Clamp(natural[i] - widths[i], 0, Math.Max(0, room));
                widths[i] += more;
                room -= more;
            }
        }

        for (var i = 1; i < widths.Length; i++)
        {
            if (blocks.Count == 0 || room < Rule + widths[i])
            {
                Widen(blocks.Count == 0 ? [] : blocks[^1][1..]);
                blocks.Add([0]);
                room = width - Rule - widths[0];
            }

            blocks[^1].Add(i);
            room -= Rule + widths[i];
        }

        Widen(blocks.Count == 1 ? blocks[0] : blocks[^1][1..]);
        return [.. blocks.Select((block, i) => BlockOf(table, block, widths, i == 0, i == blocks.Count - 1))];
    }

    private static Table BlockOf(Table table, List<int> columns, int[] widths, bool isFirst, bool isLast)
    {
        var block = new Table { Border = table.Border, BorderStyle = table.BorderStyle };
        block.Title = isFirst ? table.Title : null;
        block.Caption = isLast ? table.Caption : null;
        foreach (var i in columns)
        {
            var column = table.Columns[i];
            block.AddColumn(new TableColumn(column.Header) { Width = widths[i], NoWrap = column.NoWrap, Alignment = column.Alignment });
        }

        foreach (var row in table.Rows)
            block.AddRow(columns.Select(i => row[i]));
        return block;
    }
}
