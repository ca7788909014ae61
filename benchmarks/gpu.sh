#!/usr/bin/env bash
# Tests, times and trains the program on an NVIDIA GPU, beside PyTorch: benchmarks/gpu.sh BUILD PYTHON [PART…]
#   BUILD   the programs, self-contained; a folder, or an archive of it (35 MB), made where the SDK is:
#             for project in tests verification; do dotnet publish $project -c Release -r linux-x64 --self-contained -o artifacts/gpu; done
#             tar -cJf artifacts/gpu.tar.xz -C artifacts/gpu .
#   PYTHON  a Python with PyTorch; - for none
#   PART    what to do; several runs may share their output. Minutes are estimates:
#             tests         every test of the portable kernels and of whole networks (2)
#             steps         steps replayed from CUDA graphs and launched one by one, and PyTorch's, by turns (6; 1 a round, and 1)
#             training      both models for ten epochs (1)
#             verification  the kernels through this machine's ptxas, its driver's functions, and steps under compute-sanitizer (4);
#                           needs CUDA's tools on the path, so only when asked for
#             report        nothing but the report of what OUTPUT holds: alone it asks no device and leaves BUILD as it is
#           default: tests steps training
# Writes benchmarks/results/GPU.md, with the device's name, and all results into the folder OUTPUT (default artifacts/gpu-results), which
# OUTPUT.tar.gz holds once more, in one file. The environment also has AUTOENCODER_DATA (a folder with MNIST's files; without one, training
# is on synthetic digits), ROUNDS, STEPS and EPOCHS for shorter runs, MINUTES (default 60) after which what is left is given up and reported,
# and ACCELERATOR=cpu to try the script without a GPU. Besides BUILD it needs this folder and tests/golden, and no network.
# What fails is noted in the report, with its exit code and the name of its log, and the rest goes on; the exit code is then 1.
set -uo pipefail

usage() {
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2
  exit 2
}

[ $# -ge 2 ] || usage
here=$(dirname "$(realpath "$0")")
build=$(realpath -m "$1") python=$2 output=$(realpath -m "${OUTPUT:-$here/../artifacts/gpu-results}")
shift 2
[ $# -gt 0 ] || set -- tests steps training
for part in "$@"; do
  [[ $part =~ ^(tests|steps|training|verification|report)$ ]] || usage
done
accelerator=${ACCELERATOR:-cuda} rounds=${ROUNDS:-5} epochs=${EPOCHS:-10} minutes=${MINUTES:-60}
steps=${STEPS:-1920} # whole graphs, and whole passes through the images, on both sides
export PATH=$PATH:/usr/sbin:/sbin # where ldconfig is, which not every user's path has
export PYTHONUTF8=1 AUTOENCODER_GOLDEN=${AUTOENCODER_GOLDEN:-$here/../tests/golden}

# attempt NAME.TYPE COMMAND…: what the command prints becomes OUTPUT/NAME.TYPE, but only if it succeeds. Otherwise OUTPUT/NAME.failed says
# how it ended, and OUTPUT/NAME.log has all that it wrote. No command gets more than five minutes, for it may hang.
attempt() {
  local name=${1%.*} result=$output/$1 code=0 seconds=$((60 * minutes - SECONDS))
  shift
  rm -f "$output/$name".*
  [ "$seconds" -gt 0 ] || { fail "$name" "given up: no time was left"; return; }
  seconds=$((seconds < 300 ? seconds : 300))
  timeout --foreground --kill-after=10 "$seconds" "$@" > "$result.part" 2> "$output/$name.log" || code=$?
  if [ "$code" = 0 ]; then
    mv "$result.part" "$result"
    [ -s "$output/$name.log" ] || rm "$output/$name.log"
    return
  fi
  cat "$result.part" >> "$output/$name.log"
  rm "$result.part"
  [ "$code" != 124 ] || echo "stopped after $seconds s" >> "$output/$name.log"
  # .NET says what went wrong before the stack, Python after it.
  fail "$name" "exit code $code: $(grep -m1 '^Unhandled exception' "$output/$name.log" || grep -v '^[[:space:]]*$' "$output/$name.log" | tail -1)"
}

# fail NAME REASON
fail() {
  echo "$2" > "$output/$1.failed"
  echo "$1 FAILED, $2" >&2
  return 1
}

run_tests() {
  local executor=CUDA
  [ "$accelerator" = cuda ] || executor="CPU 256 bits, 2 threads"
  attempt tests.txt "$build/AutoencoderGpu.Tests" -preEnumerateTheories -trait "Executor=$executor" -class '*.Kernels.*' -class '*.Models.*' \
    -failSkips -noColor || return
  tail -1 "$output/tests.txt"
  # A filter that finds no test would pass, too.
  grep -q 'Total: [1-9]' "$output/tests.txt" || fail tests "no test ran on $executor"
}

run_steps() {
  local round model modes=()
  rm -f "$output"/{ours,launches,eager,graph}-*
  if [ "$python" != - ] && attempt torch.txt "$python" -c "import torch; torch.ones(1, device='$accelerator'); print(torch.__version__)"; then
    modes=(eager)
    [ "$accelerator" != cuda ] || modes+=(graph)
  fi
  local bench=("$program" bench --accelerator "$accelerator" --batch-size 10 --steps "$steps" --json --quiet)
  for round in $(seq "$rounds"); do
    for model in fc conv; do
      take_turn ours "${bench[@]}" --model "$model"
      take_turn launches env AUTOENCODER_CUDA_GRAPHS=0 "${bench[@]}" --model "$model" --whole-steps
      for mode in "${modes[@]}"; do
        take_turn "$mode" "$python" "$here/gpu/pytorch_steps.py" --model "$model" --mode "$mode" --steps "$steps" --device "$accelerator"
      done
    done
    echo "round $round of $rounds"
  done
}

# take_turn SIDE COMMAND…: what failed in the first round is not tried again.
take_turn() {
  local name=$1-$model
  shift
  [ ! -e "$output/$name-1.failed" ] || return
  attempt "$name-$round.json" "$@"
}

run_training() {
  local data=()
  [ -n "${AUTOENCODER_DATA:-}" ] || data=(--dataset synthetic)
  attempt training.json "$program" train --accelerator "$accelerator" --epochs "$epochs" "${data[@]}" --output "$output/run" --force --json
}

run_verification() {
  # The verifier looks for everything in one folder.
  mkdir -p "$scratch/cuda"
  attempt cuda-tools.txt ln -s "$(type -P ptxas)" "$(type -P nvdisasm)" "$(ldconfig -p | awk '$1 == "libcuda.so.1" { print $NF; exit }')" "$scratch/cuda" \
    && attempt verification.txt "$build/AutoencoderGpu.Verification" "$scratch/cuda"
  for tool in memcheck racecheck; do
    attempt "$tool.txt" compute-sanitizer --tool "$tool" --error-exitcode 1 "$program" bench --accelerator "$accelerator" --steps 32 \
      --whole-steps --json --quiet
  done
}

# However the script ends, what there is gets reported and packed.
finish() {
  local code=$? failed
  minutes=$((SECONDS / 60 + 2)) # the report is made also when time is up
  [ "$python" = - ] || attempt tables.md "$python" "$here/gpu/report.py" "$output"
  failed=$(cd "$output" && grep -H '' -- *.failed 2> /dev/null | sed 's/^\([^:]*\)\.failed:/- **\1 failed** (\1.log), /')
  {
    echo "# This program on an NVIDIA GPU"
    printf '\n%s\n' "${failed:-Nothing failed.}"
    echo
    cat "$output"/{devices,driver}.txt 2> /dev/null | sed 's/^/    /'
    [ ! -e "$output/tables.md" ] || cat "$output/tables.md"
  } > "$output/report.md"
  [ ! -e "$output/gpu.txt" ] || cp "$output/report.md" "$here/results/$(tr '[:upper:] ' '[:lower:]-' < "$output/gpu.txt").md"
  tar -czf "$output.tar.gz" -C "$(dirname "$output")" "$(basename "$output")"
  rm -rf "$scratch"
  echo "$output/report.md, all files in $output.tar.gz"
  [ "$code" = 0 ] && [ -n "$failed" ] && code=1
  exit "$code"
}

mkdir -p "$output" || exit 2
scratch=$(mktemp -d)
trap finish EXIT
trap 'minutes=0' INT TERM # what is left is given up
# What earlier runs found out of the device is part of the report.
[ "$*" != report ] || exit 0
if [ -f "$build" ]; then
  mkdir "$scratch/build"
  # tar asks xz for help, which may be missing.
  # shellcheck disable=SC2016
  attempt unpack.txt sh -c 'tar -xf "$1" -C "$3" || "$2" -m tarfile -e "$1" "$3"' - "$build" "$python" "$scratch/build" || exit 1
  build=$scratch/build
fi
program=$build/autoencoder

attempt devices.txt "$program" devices
if [ "$accelerator" = cuda ]; then
  attempt driver.txt nvidia-smi
  attempt gpu.txt nvidia-smi --query-gpu=name --format=csv,noheader --id=0
fi
for part in "$@"; do
  echo "$part"
  [ "$part" = report ] || "run_$part"
done
