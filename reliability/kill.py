#!/usr/bin/env python3
"""Kills runs with SIGKILL and resumes them: reliability/kill.py PROGRAM [--count N] [--how time|write] [--command train|compare].

PROGRAM is autoencoder.dll. `time` kills after a random time, once or twice; `write` kills inside the k-th rename, fsync or write of a file, which
strace injects. Whatever was killed is resumed until it ends, and must then have the weights, losses and TensorBoard's scalars of a run that nobody
killed, and no temporary files. Prints a line a failure and the counts; ends with 1 if there was a failure.
"""
import argparse
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

parser = argparse.ArgumentParser(usage=__doc__.split("\n")[0])
parser.add_argument("program")
parser.add_argument("--count", type=int, default=50)
parser.add_argument("--how", choices=["time", "write"], default="time")
parser.add_argument("--command", choices=["train", "compare"], default="train")
parser.add_argument("--seed", type=int, default=1)
arguments = parser.parse_args()
chance = random.Random(arguments.seed)
program = ["dotnet", arguments.program, arguments.command]
options = {
    "train": ["--model", "fc", "--model", "784-16-784", "--train-limit", "600", "--epochs", "3"],
    "compare": ["--model", "784-16-784", "--learning-rates", "0.5,1", "--seeds", "1-2", "--train-limit", "400", "--epochs", "2"],
}[arguments.command] + ["--dataset", "synthetic", "--test-limit", "50", "--accelerator", "cpu", "--checkpoint-every", "0", "--quiet"]


def content(folder):
    """What must not depend on how often a run was killed."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.name.endswith(".tmp"):
            found[name] = "a temporary file"
        elif path.name in ("best.safetensors", "last.safetensors"):
            found[name] = path.read_bytes()
        elif path.name == "metrics.csv":
            found[name] = [line.rsplit(",", 1)[0] for line in path.read_text().splitlines()]
        elif "tfevents" in path.name:
            found[str(path.parent.relative_to(folder))] = path.stat().st_size
        elif path.name in ("comparison.csv",):
            found[name] = path.read_text()
    return found


def start(folder, extra=(), prefix=()):
    return subprocess.Popen([*prefix, *program, *extra, "-o", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)


def end(process, seconds):
    """Kills it after so many seconds; None if it had ended before."""
    try:
        return process.communicate(timeout=seconds)[1]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None


def injection():
    call = chance.choice(["rename", "fsync", "pwrite64"])
    return ["strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={chance.randint(1, 30)}"]


root = pathlib.Path(tempfile.mkdtemp())
try:
    begin = time.time()
    error = start(root / "whole", options).communicate()[1]
    if error:
        sys.exit(f"the run that nobody kills: {error}")
    duration = time.time() - begin
    whole = content(root / "whole")
    killed = failures = unharmed = 0
    while killed < arguments.count:
        folder = root / "run"
        shutil.rmtree(folder, ignore_errors=True)
        extra, said = options, []
        for attempt in range(4):
            # Resumed runs are killed, too; the last attempt is left alone.
            prefix = injection() if arguments.how == "write" and attempt < 2 else []
            process = start(folder, extra, prefix)
            if attempt < 2 and arguments.how == "time":
                error = end(process, chance.uniform(0.2, duration))
            else:
                error = process.communicate()[1]
            # By the signal, or because strace ended with the one that it injected.
            if error is None or process.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL):
                killed += 1
            elif process.returncode == 0:
                unharmed += attempt == 0
                break
            else:
                said.append(f"{process.returncode}: {error.strip()}")
                break
            if not (folder / ("summary.json" if arguments.command == "train" else "comparison.json")).exists():
                extra = options  # nothing was begun: it starts as at first
            else:
                extra = ["--resume", "--quiet"]
        found = content(folder)
        different = sorted(name for name in whole.keys() | found.keys() if whole.get(name) != found.get(name))
        if said or different:
            failures += 1
            print(f"failure after {killed} kills: {said} {different}", flush=True)
            shutil.copytree(folder, f"failed-{arguments.command}-{arguments.how}-{killed}", dirs_exist_ok=True)
    print(f"{arguments.command}, {arguments.how}: {killed} killed, {failures} failures, {unharmed} ended before they were killed")
    sys.exit(1 if failures else 0)
finally:
    shutil.rmtree(root)
