using System.Net;
using System.Net.Sockets;

namespace AutoencoderGpu.Tests.App.Data;

/// <summary>A request that a mirror saw.</summary>
/// <param name="File">Last part of the address.</param>
/// <param name="From">First byte of the range asked for; null if none was.</param>
internal sealed record MirrorRequest(string File, long? From);

/// <summary>An HTTP server on the loopback interface that answers as a test says.</summary>
internal sealed class Mirror : IDisposable
{
    private readonly HttpListener _listener;
    private readonly Func<HttpListenerResponse, MirrorRequest, Task> _answer;
    private readonly List<MirrorRequest> _requests = [];

    public Mirror(Func<HttpListenerResponse, MirrorRequest, Task> answer)
    {
        _answer = answer;
        (_listener, Address) = Listen();
        _ = ServeAsync();
    }

    public Uri Address { get; }

    public MirrorRequest[] Requests
    {
        get
        {
            lock (_requests)
                return [.. _requests];
        }
    }

    /// <summary>An address where nothing listens.</summary>
    public static Uri Dead()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return new Uri($"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/");
    }

    /// <summary>Serves files as a proper server does: 206 for a range, 416 for one that begins at or after the end.</summary>
    public static Mirror Of(IReadOnlyDictionary<string, byte[]> files) => new(async (response, request) =>
    {
        if (!files.TryGetValue(request.File, out byte[]? content))
            response.StatusCode = 404;
        else if (request.From >= content.Length)
            response.StatusCode = 416;
        else
            await SendAsync(response, content, request.From);
    });

    /// <summary>Sends a file from a byte on, 200 without and 206 with one.</summary>
    public static async Task SendAsync(HttpListenerResponse response, byte[] content, long? from = null)
    {
        if (from is { } start)
        {
            response.StatusCode = 206;
            response.AddHeader("Content-Range", $"bytes {start}-{content.Length - 1}/{content.Length}");
        }
        var rest = content.AsMemory((int)(from ?? 0));
        response.ContentLength64 = rest.Length;
        await response.OutputStream.WriteAsync(rest);
    }

    /// <summary>Promises a whole file, sends its first bytes and breaks the connection.</summary>
    public static async Task BreakOffAsync(HttpListenerResponse response, byte[] content, int bytes)
    {
        response.ContentLength64 = content.Length;
        await response.OutputStream.WriteAsync(content.AsMemory(0, bytes));
        await response.OutputStream.FlushAsync();
        response.Abort();
    }

    public void Dispose() => _listener.Close();

    private static (HttpListener Listener, Uri Address) Listen()
    {
        while (true)
        {
            var address = Dead();
            var listener = new HttpListener { Prefixes = { address.ToString() } };
            try
            {
                listener.Start();
                return (listener, address);
            }
            catch (HttpListenerException)
            {
                // Another process took the port meanwhile.
                listener.Close();
            }
        }
    }

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            string? range = context.Request.Headers["Range"];
            var request = new MirrorRequest(context.Request.Url!.Segments[^1],
                range is null ? null : long.Parse(range["bytes=".Length..^1], null));
            lock (_requests)
                _requests.Add(request);
            try
            {
                await _answer(context.Response, request);
                context.Response.Close();
            }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException or IOException)
            {
                // The client went away, or the test broke the connection itself.
            }
        }
    }
}
