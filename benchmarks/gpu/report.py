"""Writes benchmarks/results/GPU.md from what benchmarks/gpu.sh has measured: report.py FOLDER OUTPUT.md"""

import json
import pathlib
import statistics
import sys

GOALS = {"fc": 25, "conv": 100}
TIMES = {"eager": 10, "graph": 1.5}


def main(folder, output):
    ours = {model: [one(path)["models"][0] for path in sorted(folder.glob(f"ours-{model}-*.json"))] for model in GOALS}
    launches = {model: [one(path)["models"][0]["us_per_step"] for path in sorted(folder.glob(f"launches-{model}-*.json"))] for model in GOALS}
    rival = {(model, mode): [one(path) for path in sorted(folder.glob(f"{mode}-{model}-*.json"))] for model in GOALS for mode in TIMES}
    first = next(entry[0] for entry in ours.values() if entry)
    torch = next((entry[0] for entry in rival.values() if entry), None)
    lines = [
        f"# {first['device']}", "",
        f"Program: {first['accelerator']}, steps {'replayed from CUDA graphs' if first['replays_steps'] else 'launched kernel by kernel'}. " + (f"PyTorch {torch['torch']}, CUDA {torch['cuda']}, TF32 off." if torch else "No PyTorch."),
        "Medians of the runs, least and greatest in parentheses; both sides by turns in one run of `benchmarks/gpu.sh`.", "",
        "| training step of 10 images | this program | goal | a launch a kernel | PyTorch eager | times as fast | goal | PyTorch, CUDA graph "
        "| times as fast | goal |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for model, goal in GOALS.items():
        row = [model, spread([run["us_per_step"] for run in ours[model]]), f"{goal} µs", spread(launches[model])]
        for mode, times in TIMES.items():
            runs = [run["us_per_step"] for run in rival[model, mode]]
            ratios = [theirs / own["us_per_step"] for theirs, own in zip(runs, ours[model])]
            row += [spread(runs), f"×{statistics.median(ratios):.2f}" if ratios else "–", f"×{times}"]
        lines.append("| " + " | ".join(row) + " |")
    lines += ["", "## Instructions, each repeated by itself", "", "| model | instruction | input | output | µs | GFLOP/s | GB/s |", "|---|---|---|---|--:|--:|--:|"]
    lines += [
        f"| {model} | {o['operation']} | {o['input']} | {o['output']} | {o['us']:.1f} | {o['gflops']:.0f} | {o['gb_per_second']:.0f} |"
        for model, runs in ours.items() for o in runs[0]["operations"]]
    lines += ["", "## Training", ""]
    training = folder / "training.json"
    if training.exists():
        lines += ["| model | best test loss | epoch | µs a step |", "|---|--:|--:|--:|"]
        lines += [f"| {m['model']} | {m['best_test_loss']:.5f} | {m['best_epoch']} | {m['us_per_step']:.1f} |" for m in one(training)["models"]]
    lines += ["", "## Tests of the portable kernels and of whole networks", "", "```", (folder / "tests.txt").read_text().strip().splitlines()[-1], "```", ""]
    output.write_text("\n".join(lines))


def one(path):
    return json.loads(path.read_text())


def spread(values):
    return f"{statistics.median(values):.1f} ({min(values):.1f}–{max(values):.1f}) µs" if values else "–"


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
