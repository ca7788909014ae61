#!/usr/bin/env bash
# Measures the program on an NVIDIA GPU, with and without CUDA graphs, beside PyTorch, runs every test of the portable kernels and of
# whole networks there, and trains both models for ten epochs: benchmarks/gpu.sh BUILD PYTHON [OUTPUT.md]
#   BUILD   a folder with two self-contained builds, made where the SDK is:
#             dotnet publish src/App -c Release -r linux-x64 --self-contained -o BUILD/program
#             dotnet publish tests -c Release -r linux-x64 --self-contained -o BUILD/tests && cp -r tests/golden BUILD/tests/
#   PYTHON  a Python with PyTorch; - for none
#   OUTPUT  default benchmarks/results/GPU.md, with the device's name
# Needs no network; AUTOENCODER_DATA names a folder with MNIST's files, without which the ten epochs are of synthetic digits. ACCELERATOR=cpu
# tries the script where there is no GPU. ROUNDS and STEPS shorten it. Exits with 3 where there is no CUDA device.
set -euo pipefail

if [ $# -lt 2 ]; then
  sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi

here=$(dirname "$(realpath "$0")")
build=$(realpath "$1") python=$2 accelerator=${ACCELERATOR:-cuda} rounds=${ROUNDS:-5} steps=${STEPS:-2000} epochs=${EPOCHS:-10}
program=$build/program/autoencoder
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$program" devices
"$program" bench --accelerator "$accelerator" --model fc --steps 1 --json --quiet > "$work/device.json"
name=$(sed -n 's/.*"device":"\([^"]*\)".*/\1/p' "$work/device.json" | head -1)
output=${3:-$here/results/$(echo "$name" | tr '[:upper:] ' '[:lower:]-' | tr -cd '[:alnum:]-').md}

echo "tests of the portable kernels and of whole networks"
executor=$([ "$accelerator" = cuda ] && echo CUDA || echo "CPU 256 bits, 2 threads")
"$build/tests/AutoencoderGpu.Tests" -preEnumerateTheories -trait "Executor=$executor" -class '*.Kernels.*' -class '*.Models.*' -failSkips -noColor \
  > "$work/tests.txt" 2>&1 \
  || { tail -50 "$work/tests.txt"; exit 1; }
grep -q 'Total: [1-9]' "$work/tests.txt" || { echo "no test ran on $executor" >&2; exit 1; }
tail -1 "$work/tests.txt"

for round in $(seq "$rounds"); do
  for model in fc conv; do
    "$program" bench --accelerator "$accelerator" --model "$model" --batch-size 10 --steps "$steps" --json --quiet > "$work/ours-$model-$round.json"
    AUTOENCODER_CUDA_GRAPHS=0 "$program" bench --accelerator "$accelerator" --model "$model" --batch-size 10 --steps "$steps" --json --quiet \
      > "$work/launches-$model-$round.json"
    [ "$python" != - ] || continue
    for mode in eager $([ "$accelerator" = cuda ] && echo graph); do
      "$python" "$here/gpu/pytorch_steps.py" --model "$model" --mode "$mode" --steps "$steps" --device "$accelerator" > "$work/$mode-$model-$round.json"
    done
  done
  echo "round $round of $rounds"
done

data=()
[ -n "${AUTOENCODER_DATA:-}" ] || data=(--dataset synthetic)
"$program" train --accelerator "$accelerator" --epochs "$epochs" "${data[@]}" --output "$work/run" --json > "$work/training.json"

if [ "$python" = - ]; then
  mkdir -p "$output.d" && cp "$work"/*.json "$work/tests.txt" "$output.d/" && echo "$output.d holds the figures; gpu/report.py makes a page of them"
else
  "$python" "$here/gpu/report.py" "$work" "$output" && echo "$output"
fi
