#!/usr/bin/env bash
# Times two builds of the program by turns: benchmarks/two-builds.sh OLD NEW [ROUNDS], the folders of two published programs.
# For training steps of both models at mini-batches of 10 and 100, and for an evaluation of each, prints the median of either and the median of the
# ratios new / old of neighbouring runs. Needs dotnet, python3 and, for the evaluation, weights of a run of either: RUN=FOLDER, else it is left out.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
times=$(mktemp)
trap 'rm -f "$times"' EXIT

for round in $(seq "${3:-7}"); do
  for build in "$1" "$2"; do
    for model in fc conv; do
      for batch in 10 100; do
        echo "$model-$batch $build $(dotnet "$build/autoencoder.dll" bench --whole-steps --model $model --batch-size $batch --json 2> /dev/null \
          | python3 -c 'import json, sys; print(json.load(sys.stdin)["models"][0]["us_per_step"])')" >> "$times"
      done
      if [ -n "${RUN:-}" ]; then
        begin=$(date +%s%N)
        dotnet "$build/autoencoder.dll" eval --weights "$RUN/$model/best.safetensors" --quiet > /dev/null
        echo "$model-eval $build $((($(date +%s%N) - begin) / 1000))" >> "$times"
      fi
    done
  done
done

python3 - "$times" "$1" "$2" << 'END'
import collections, statistics, sys
runs = collections.defaultdict(list)
for line in open(sys.argv[1]):
    case, build, value = line.split()
    runs[case, build].append(float(value))
print("case        old µs     new µs  new / old")
for case in dict.fromkeys(case for case, _ in runs):
    old, new = runs[case, sys.argv[2]], runs[case, sys.argv[3]]
    ratio = statistics.median(n / o for n, o in zip(new, old))
    print(f"{case:9}{statistics.median(old):9.0f}  {statistics.median(new):9.0f}  {ratio:9.3f}")
END
