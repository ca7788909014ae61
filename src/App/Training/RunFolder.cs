using System.Globalization;
using System.IO.Enumeration;
using AutoencoderGpu.App.Reports;
using AutoencoderGpu.Models;

namespace AutoencoderGpu.App.Training;

/// <summary>How a run treats what is in its folder.</summary>
public enum RunStart
{
    /// <summary>Nothing may be there.</summary>
    New,

    /// <summary>An old run is deleted.</summary>
    Overwrite,

    /// <summary>The run that is there goes on.</summary>
    Resume,
}

/// <summary>The folder of a run and the files in it.</summary>
/// <param name="path">The folder.</param>
/// <param name="isDefault">Whether nobody has named it, so that another one is taken where it is there already.</param>
public sealed class RunFolder(string path, bool isDefault = false)
{
    private const string LogFolder = "logs";
    private const string Pictures = "reconstructions-*.png";

    private static readonly string[] _weights = ["best.safetensors", "last.safetensors", "checkpoint.safetensors", "checkpoint.previous.safetensors"];

    /// <summary>The folder.</summary>
    public string Path { get; private set; } = path;

    /// <summary>Options, figures and versions.</summary>
    public string Summary => In("summary.json");

    /// <summary>A row a model and epoch.</summary>
    public string Metrics => In("metrics.csv");

    /// <summary>The plot of all models.</summary>
    public string LossCurves => In("loss-curves.png");

    /// <summary>Where a run goes when no folder is named; a number is added where the name is taken.</summary>
    /// <param name="kind">After the time: a run's seed.</param>
    public static string DefaultPath(string kind) =>
        System.IO.Path.Combine("runs", string.Create(CultureInfo.InvariantCulture, $"{DateTime.Now:yyyyMMdd-HHmmss}-{kind}"));

    /// <summary>Makes a folder that was not there: of this name, or with a number behind it.</summary>
    public static string MakeFree(string path)
    {
        var free = path;
        for (var number = 2; !Posix.MakeFolder(free); number++)
            free = string.Create(CultureInfo.InvariantCulture, $"{path}-{number}");
        return free;
    }

    /// <summary>The picture of a model's reconstructions.</summary>
    public string Reconstructions(string model) => In($"reconstructions-{model}.png");

    /// <summary>The weights of the epoch with the lowest test loss.</summary>
    public string BestWeights(string model) => In(model, _weights[0]);

    /// <summary>The weights after the last epoch.</summary>
    public string LastWeights(string model) => In(model, _weights[1]);

    /// <summary>What <c>--resume</c> reads.</summary>
    public string Checkpoint(string model) => In(model, _weights[2]);

    /// <summary>The checkpoint before that.</summary>
    public string PreviousCheckpoint(string model) => In(model, _weights[3]);

    /// <summary>The folder of a model's TensorBoard log.</summary>
    public string Logs(string model) => In(LogFolder, model);

    /// <summary>Looks whether a run may start here; changes nothing.</summary>
    /// <exception cref="UserError">A run is there and is not to be overwritten, or what is there is not a run's, or another process is at it.</exception>
    public void Check(RunStart start)
    {
        if (string.IsNullOrWhiteSpace(Path) || File.Exists(Path))
            throw new UserError(ExitCode.Usage, $"--output '{Path}' is not a folder's name; it names the folder of the run");
        // One that is there already is not taken then.
        if (isDefault)
            return;
        try
        {
            FolderLock.Check(Path);
            CheckContent(start);
            if (start == RunStart.Resume)
                RequireFiles(OwnFiles());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserError(ExitCode.Failed, $"{Path} cannot be read: {e.Message.ReplaceLineEndings(" ")}; --output names another folder", e);
        }
    }

    /// <summary>Looks whether all that are there are files; opening a pipe waits for its other end.</summary>
    /// <exception cref="UserError">One is a pipe or a device.</exception>
    public static void RequireFiles(IEnumerable<string> own)
    {
        foreach (var file in own)
        {
            if (Posix.SpecialKindOf(file) is { } kind)
                throw new UserError(ExitCode.Data, $"{file} is {kind}, not a run's file; remove it");
        }
    }

    private void CheckContent(RunStart start)
    {
        if (start == RunStart.New && HoldsRun())
        {
            throw new UserError(
                ExitCode.Usage, $"{Path} holds a run already: --resume goes on with it, --force overwrites it, --output names another folder");
        }

        if (start == RunStart.Overwrite && ForeignFile() is { } foreign)
        {
            throw new UserError(
                ExitCode.Usage, $"{Path} holds {System.IO.Path.GetRelativePath(Path, foreign)}, which is no run's, so --force leaves the folder alone; --output names another");
        }
    }

    /// <summary>A file that no run has written; where there is no summary, none has, for it is the first that is written and the last that is deleted.</summary>
    private string? ForeignFile()
    {
        string[] files = [.. Files()];
        return files.FirstOrDefault(file => !IsOfRun(file))
            ?? (File.Exists(Summary) ? null : files.FirstOrDefault(file => !AtomicFile.IsTemporary(file)));
    }

    /// <summary>Makes the folder ready, and keeps it to this process: empty of an old run, or with one to go on with.</summary>
    /// <param name="start">Whether a run that is there is deleted, or resumed.</param>
    /// <param name="models">The names of the models that are trained.</param>
    /// <exception cref="UserError">The folder cannot be made, or not be had.</exception>
    internal FolderLock Take(RunStart start, IEnumerable<string> models)
    {
        try
        {
            if (isDefault)
                Path = MakeFree(Path);
            else
                Directory.CreateDirectory(Path);
            // Before the lock, for a folder that is refused stays as it is; and again with it, for another run may have ended in between.
            Check(start);
            var held = FolderLock.Take(Path);
            try
            {
                CheckContent(start);
                string[] names = [.. models];
                foreach (var file in (start == RunStart.Overwrite ? Files().Where(IsOfRun).OrderBy(file => file == Summary) : Temporaries(names)).ToArray())
                    File.Delete(file);
                foreach (var model in names)
                    Directory.CreateDirectory(In(model));
                return held;
            }
            catch
            {
                held.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserError(ExitCode.Failed, $"{Path} cannot be made: {e.Message.ReplaceLineEndings(" ")}; --output names another folder", e);
        }
    }

    /// <summary>The names of the models of which there is a checkpoint.</summary>
    public IEnumerable<string> Models() => Directory.Exists(Path)
        ?
        [
            .. Directory.EnumerateDirectories(Path).Select(folder => System.IO.Path.GetFileName(folder))
                .Where(name => File.Exists(Checkpoint(name)) || File.Exists(PreviousCheckpoint(name))).Order(StringComparer.Ordinal),
        ]
        : [];

    private bool HoldsRun() => OwnFiles().Any(File.Exists);

    /// <summary>Where a run has its files, whether they are there or not; nowhere else is looked, for the folder may be of any size.</summary>
    private IEnumerable<string> OwnFiles() => Directory.Exists(Path)
        ?
        [
            Summary, Metrics, LossCurves, .. Directory.EnumerateFiles(Path, Pictures),
            .. from folder in Directory.EnumerateDirectories(Path) from name in _weights select System.IO.Path.Combine(folder, name),
        ]
        : [];

    /// <summary>What a killed process left behind.</summary>
    private IEnumerable<string> Temporaries(string[] models) =>
        from folder in (string[])[Path, .. models.Select(model => In(model)), .. models.Select(Logs)]
        where Directory.Exists(folder)
        from file in Directory.EnumerateFiles(folder)
        where AtomicFile.IsTemporary(file)
        select file;

    /// <summary>All files, and links, of which it is not asked what they name.</summary>
    private IEnumerable<string> Files() => Directory.Exists(Path)
        ? new FileSystemEnumerable<string>(
            Path,
            (ref FileSystemEntry entry) => entry.ToFullPath(),
            new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = false, AttributesToSkip = 0 })
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory || IsLink(ref entry),
            ShouldRecursePredicate = (ref FileSystemEntry entry) => !IsLink(ref entry),
        }.Select(file => System.IO.Path.Combine(Path, System.IO.Path.GetRelativePath(Path, file))).Where(file => file != In(FolderLock.FileName))
        : [];

    private static bool IsLink(ref FileSystemEntry entry) => entry.Attributes.HasFlag(FileAttributes.ReparsePoint);

    private bool IsOfRun(string file)
    {
        var parts = System.IO.Path.GetRelativePath(Path, file).Split(System.IO.Path.DirectorySeparatorChar);
        return AtomicFile.IsTemporary(file) && parts.Length <= 3 || parts switch
        {
            [var name] => file == Summary || file == Metrics || file == LossCurves || FileSystemName.MatchesSimpleExpression(Pictures, name, ignoreCase: false),
            [_, var name] => _weights.Contains(name),
            [LogFolder, _, var name] => EventLog.IsLog(name),
            _ => false,
        };
    }

    private string In(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);
}
