#!/usr/bin/env python3
"""Trains for 200 epochs and watches memory and open files: reliability/long-run.py PROGRAM [PLOT.svg [OPTION...]].

PROGRAM is autoencoder.dll; options are added to `train --model fc --epochs 200`. Prints the memory (resident set) and the open files after the first
epoch, the most after it, and at the end; draws both. Ends with 1 where memory grows by more than 5 % or files by any.
"""
import pathlib
import subprocess
import sys
import tempfile
import time

program, plot, options = sys.argv[1], (sys.argv + [None])[2], sys.argv[3:]
with tempfile.TemporaryDirectory() as folder:
    run = pathlib.Path(folder) / "run"
    process = subprocess.Popen(
        ["dotnet", program, "train", "--model", "fc", "--epochs", "200", "--dataset", "synthetic", "--quiet", "--output", str(run), *options], stdout=subprocess.DEVNULL)
    begin, samples, first, metrics = time.time(), [], None, run / "metrics.csv"
    while process.poll() is None:
        epochs = len(metrics.read_text().splitlines()) - 1 if metrics.exists() else 0
        # Drawing the plots at the end takes memory of its own.
        if epochs >= 200:
            break
        try:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            files = len(list(pathlib.Path(f"/proc/{process.pid}/fd").iterdir()))
        except (OSError, ProcessLookupError):
            break
        resident = [int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")]
        if resident:
            samples.append((time.time() - begin, resident[0], files))
        if first is None and epochs > 0:
            first = len(samples) - 1
        time.sleep(0.5)
    code = process.wait()
training = samples[first:]
(_, memory, files), (_, last, last_files) = training[0], training[-1]
most, most_files = max(s[1] for s in training), max(s[2] for s in training)
print(f"memory after the first epoch {memory:.1f} MB, most after it {most:.1f} MB, at the end {last:.1f} MB; open files {files}, {most_files}, {last_files}; {len(samples)} samples, exit code {code}")
if plot:
    width, height, left, bottom = 800, 300, 60, 40
    x = lambda seconds: left + (width - left - 20) * seconds / samples[-1][0]
    y = lambda value: height - bottom - (height - bottom - 30) * value / (1.15 * max(s[1] for s in samples))
    points = lambda index: " ".join(f"{x(s[0]):.1f},{y(s[index]):.1f}" for s in samples)
    marks = "".join(
        f'<line x1="{left}" x2="{width - 20}" y1="{y(v):.1f}" y2="{y(v):.1f}" stroke="#ddd"/><text x="{left - 8}" y="{y(v) + 4:.1f}" text-anchor="end">{v}</text>'
        for v in range(0, int(1.15 * max(s[1] for s in samples)), 50))
    pathlib.Path(plot).write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" fill="#444">'
        f'<rect width="{width}" height="{height}" fill="white"/>{marks}'
        f'<polyline points="{points(1)}" fill="none" stroke="#1f77b4" stroke-width="2"/><polyline points="{points(2)}" fill="none" stroke="#d62728" stroke-width="2"/>'
        f'<text x="{left}" y="18">FC, 200 epochs: <tspan fill="#1f77b4">resident memory, MB</tspan> and <tspan fill="#d62728">open files</tspan></text>'
        f'<text x="{width - 20}" y="{height - 12}" text-anchor="end">{samples[-1][0]:.0f} s</text></svg>\n')
sys.exit(0 if code == 0 and most <= 1.05 * memory and most_files <= files + 3 and last_files <= files else 1)
