#!/usr/bin/env bash
# Times two builds of the program: benchmarks/two-builds.sh OLD NEW [ROUNDS], the folders of two published programs.
# For training steps of both models at mini-batches of 10 and 100, and for an evaluation of each, prints the median of either and the median of the
# rounds' ratios new / old. Steps are timed in one process, by turns of 20 ms (two-builds.cs), once with either build loaded first. Evaluations are whole
# commands; either runs five times in a round, by turns, and its fastest counts. Needs dotnet, python3 and, for the evaluation, weights of a run of
# either: RUN=FOLDER, else it is left out. CASES names the cases.
set -euo pipefail
shopt -s inherit_errexit
[ $# -ge 2 ] || { sed -n '2,7s/^# //p' "$0" >&2; exit 2; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
dotnet build -v quiet -o "$scratch/bin" "$(dirname "$0")/two-builds.cs" >&2

steps() { # CASE BUILD BUILD: microseconds of a step of either, and the ratio
  dotnet "$scratch/bin/two-builds.dll" "$2" "$3" "${1%-*}" "${1#*-}"
}

evaluation() { # CASE BUILD: microseconds of the whole command
  local begin
  begin=$(date +%s%N)
  dotnet "$2/autoencoder.dll" eval --weights "$RUN/${1%-*}/best.safetensors" --quiet > /dev/null
  echo $((($(date +%s%N) - begin) / 1000))
}

for _ in $(seq "${3:-7}"); do
  for case in ${CASES:-fc-10 fc-100 conv-10 conv-100 ${RUN:+fc-eval conv-eval}}; do
    if [[ $case = *-eval ]]; then
      times=()
      for _ in 1 2 3 4 5; do
        old=$(evaluation "$case" "$1")
        new=$(evaluation "$case" "$2")
        times+=("$old" "$new")
      done
      echo "$case" "${times[@]}" >> "$scratch/times"
    else
      first=$(steps "$case" "$1" "$2")
      second=$(steps "$case" "$2" "$1")
      echo "$case" "$first" "$second" >> "$scratch/times"
    fi
  done
done

python3 - "$scratch/times" << 'END'
import collections, statistics, sys
rounds = collections.defaultdict(list)
for line in open(sys.argv[1]):
    case, *values = line.split()
    values = [float(value) for value in values]
    if case.endswith("eval"):
        old, new = min(values[0::2]), min(values[1::2])
        rounds[case].append((old, new, new / old))
    else:
        old, new, ratio, new_first, old_first, inverse = values
        rounds[case].append(((old + old_first) / 2, (new + new_first) / 2, (ratio / inverse) ** 0.5))
print("case        old µs     new µs  new / old  of the rounds")
for case, values in rounds.items():
    old, new, ratios = zip(*values)
    median = statistics.median
    print(f"{case:9}{median(old):9.0f}  {median(new):9.0f}  {median(ratios):9.3f}  {min(ratios):.3f} to {max(ratios):.3f}")
END
