#!/usr/bin/env bash
# Trains 200 ordinary models, none of which may be taken for dead: reliability/false-alarms.sh PROGRAM, which is autoencoder.dll.
# Needs python3. Prints the counts; ends with 1 if there was an alarm.
set -euo pipefail
shopt -s inherit_errexit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
alarms=0
for options in "--model fc" "--model conv" "--model 784-32-784 --optimizer adam --loss bce" "--model 784-64-16-64-784 --optimizer momentum --learning-rates 0.1"; do
  # shellcheck disable=SC2086 # words
  found=$(dotnet "$1" compare $options --seeds 1-50 --dataset synthetic --train-limit 1000 --test-limit 200 --epochs 2 --quiet --json --output "$work/run" --force \
    | python3 -c 'import json, sys; groups = json.load(sys.stdin)["groups"]; print(sum(g["runs"] for g in groups), sum(g["collapsed"] for g in groups))')
  echo "$options: runs, alarms: $found"
  alarms=$((alarms + ${found#* }))
  rm -rf "$work/run"
done
[ "$alarms" = 0 ]
