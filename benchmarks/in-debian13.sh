#!/usr/bin/env bash
# Runs the benchmark where the system is too old for libtorch's package, in a Debian 13 (see docker/in-debian13):
#   sudo benchmarks/in-debian13.sh FOLDER [OPTIONS OF THE BENCHMARK]
set -euo pipefail

if [ $# -eq 0 ]; then
  sed -n '2,3s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi

folder=$1
shift
repository=$(dirname "$0")/..
dotnet publish -c Release -r linux-x64 --self-contained "$repository/src/App" -o "$repository/artifacts/published"
dotnet build -c Release "$repository/benchmarks"
exec "$repository/docker/in-debian13" "$folder" dotnet benchmarks/bin/Release/net10.0/linux-x64/AutoencoderGpu.Benchmarks.dll --published artifacts/published/autoencoder "$@"
