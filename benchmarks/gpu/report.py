"""Prints the tables of what benchmarks/gpu.sh has measured, as far as it is there: report.py FOLDER"""

import json
import pathlib
import statistics
import sys

GOALS = {"fc": 25, "conv": 100}
TIMES = {"eager": 10, "graph": 1.5}


def main(folder):
    ours = {model: [run["models"][0] for run in rounds(folder, "ours", model)] for model in GOALS}
    launches = {model: [run["models"][0] for run in rounds(folder, "launches", model)] for model in GOALS}
    rival = {(model, mode): rounds(folder, mode, model) for model in GOALS for mode in TIMES}
    lines = []
    if any([*ours.values(), *launches.values(), *rival.values()]):
        lines += steps(ours, launches, rival)
    if any(ours.values()):
        lines += instructions(ours)
    training = folder / "training.json"
    if training.exists():
        lines += training_table(one(training))
    for name, title in {
        "tests": "Tests of the portable kernels and of whole networks", "verification": "The kernels through this machine's ptxas",
        "memcheck": "compute-sanitizer, memory", "racecheck": "compute-sanitizer, races"}.items():
        path = folder / f"{name}.txt"
        if path.exists():
            lines += ["", f"## {title}", "", "    " + path.read_text().strip().splitlines()[-1].strip()]
    print("\n".join(lines))


def steps(ours, launches, rival):
    own = next((runs[0] for runs in [*ours.values(), *launches.values()] if runs), None)
    replayed = next((runs[0]["steps_per_launch"] for runs in ours.values() if runs), None)
    graph = next((runs[0]["steps_a_graph"] for (_, mode), runs in rival.items() if mode == "graph" and runs), None)
    torch = next((runs[0] for runs in rival.values() if runs), None)
    yield from [
        "", "## Training steps of 10 images", "",
        (f"This program on {own['device']}, " if own else "")
        + (f"PyTorch {torch['torch']} on {torch['device']}, CUDA {torch['cuda']}, TF32 off." if torch else "no PyTorch."),
        f"A launch is of {replayed or '–'} steps here, a graph of {graph or '–'} steps there.",
        "Medians of the runs, least and greatest in parentheses; all by turns in one run of `benchmarks/gpu.sh`.", "",
        "| | this program | goal | a launch a kernel | PyTorch eager | times as fast | goal | PyTorch, CUDA graph | times as fast | goal |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for model, goal in GOALS.items():
        row = [model, spread(ours[model]), f"{goal} µs", spread(launches[model])]
        for mode, times in TIMES.items():
            ratios = [theirs["us_per_step"] / own["us_per_step"] for theirs, own in zip(rival[model, mode], ours[model])]
            row += [spread(rival[model, mode]), f"×{statistics.median(ratios):.2f}" if ratios else "–", f"×{times}"]
        yield "| " + " | ".join(row) + " |"
    if any(run["steps_per_launch"] == 1 for runs in ours.values() for run in runs):
        yield from ["", "This program launched its kernels one by one, without CUDA graphs, in the first column too; ours-….log says why."]


def instructions(ours):
    yield from [
        "", "## Instructions, each repeated by itself", "",
        "Each figure includes the gap between two launches and not what runs side by side in a step, so they do not add up to a step.", "",
        "| model | instruction | input | output | µs | GFLOP/s | GB/s |", "|---|---|---|---|--:|--:|--:|"]
    for model, runs in ours.items():
        for o in runs[0]["operations"] if runs else []:
            yield f"| {model} | {o['operation']} | {o['input']} | {o['output']} | {o['us']:.1f} | {o['gflops']:.0f} | {o['gb_per_second']:.0f} |"


def training_table(summary):
    yield from ["", f"## Training on {summary['dataset']['name']}", "", "| model | best test loss | epoch | µs a step |", "|---|--:|--:|--:|"]
    for m in summary["models"]:
        yield f"| {m['model']} | {m['best_test_loss']:.5f} | {m['best_epoch']} | {m['us_per_step']:.1f} |"


def rounds(folder, side, model):
    return [one(path) for path in sorted(folder.glob(f"{side}-{model}-*.json"))]


def one(path):
    return json.loads(path.read_text())


def spread(runs):
    values = [run["us_per_step"] for run in runs]
    return f"{statistics.median(values):.1f} ({min(values):.1f}–{max(values):.1f}) µs" if values else "–"


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
