#!/usr/bin/env bash
# Times two builds of the program by turns: benchmarks/two-builds.sh OLD NEW [ROUNDS], the folders of two published programs.
# For training steps of both models at mini-batches of 10 and 100, and for an evaluation of each, prints the median of either and the median of the
# ratios new / old of the rounds. RUNS=N runs either N times in a round, by turns, and takes the fastest, which leaves out what others do to the machine
# for a few seconds. Needs dotnet, python3 and, for the evaluation, weights of a run of either: RUN=FOLDER, else it is left out.
# Where others slow the machine down from second to second, SIDE_BY_SIDE=1 runs both at once, one thread on a core each (CORES, 0,1 unless set),
# and swaps the cores every time.
set -euo pipefail
shopt -s inherit_errexit
[ $# -ge 2 ] || { sed -n '2,7s/^# //p' "$0" >&2; exit 2; }
times=$(mktemp)
trap 'rm -f "$times"' EXIT

IFS=, read -ra cores <<< "${CORES:-0,1}"

step() { # microseconds of a training step: MODEL-BATCH BUILD [CORE]
  ${3:+taskset -c "$3"} dotnet "$2/autoencoder.dll" bench --whole-steps --model "${1%-*}" --batch-size "${1#*-}" ${3:+--threads 1} --json 2> /dev/null \
    | python3 -c 'import json, sys; print(json.load(sys.stdin)["models"][0]["us_per_step"])'
}

evaluation() { # microseconds of the whole command: MODEL-eval BUILD [CORE]
  local begin
  begin=$(date +%s%N)
  ${3:+taskset -c "$3"} dotnet "$2/autoencoder.dll" eval --weights "$RUN/${1%-*}/best.safetensors" ${3:+--threads 1} --quiet > /dev/null
  echo $((($(date +%s%N) - begin) / 1000))
}

measure() { # CASE BUILD [CORE]
  local time
  case $1 in
    *-eval) time=$(evaluation "$@") ;;
    *) time=$(step "$@") ;;
  esac
  echo "$round $1 $2 $time" >> "$times"
}

for round in $(seq "${3:-7}"); do
  for case in fc-10 fc-100 conv-10 conv-100 ${RUN:+fc-eval conv-eval}; do
    for run in $(seq "${RUNS:-1}"); do
      if [ $(((round + run) % 2)) = 0 ]; then builds=("$1" "$2"); else builds=("$2" "$1"); fi
      if [ -n "${SIDE_BY_SIDE:-}" ]; then
        measure "$case" "${builds[0]}" "${cores[0]}" &
        measure "$case" "${builds[1]}" "${cores[1]}"
        wait $!
      else
        measure "$case" "${builds[0]}"
        measure "$case" "${builds[1]}"
      fi
    done
  done
done

python3 - "$times" "$1" "$2" << 'END'
import collections, statistics, sys
fastest = {}
for line in open(sys.argv[1]):
    *key, value = line.split()
    fastest[tuple(key)] = min(float(value), fastest.get(tuple(key), float("inf")))
runs = collections.defaultdict(list)
for (_, case, build), value in fastest.items():
    runs[case, build].append(value)
print("case        old µs     new µs  new / old")
for case in dict.fromkeys(case for case, _ in runs):
    old, new = runs[case, sys.argv[2]], runs[case, sys.argv[3]]
    ratio = statistics.median(n / o for n, o in zip(new, old))
    print(f"{case:9}{statistics.median(old):9.0f}  {statistics.median(new):9.0f}  {ratio:9.3f}")
END
