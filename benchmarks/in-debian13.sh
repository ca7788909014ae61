#!/usr/bin/env bash
# Runs the benchmark where the system is too old for libtorch's package: in a Debian 13 that is made in a folder.
#   sudo benchmarks/in-debian13.sh FOLDER [OPTIONS OF THE BENCHMARK]
# Needs root, debootstrap and the .NET SDK. FOLDER takes 300 MB and serves again the next time; DEBIAN_MIRROR names another
# mirror than debootstrap's own, AUTOENCODER_DATA a folder with MNIST's files.
set -euo pipefail

if [ $# -eq 0 ]; then
  sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi

# All mounts are made in a namespace of this script's own, so they end with it, however it ends.
if [ -z "${IN_OWN_NAMESPACE:-}" ]; then
  IN_OWN_NAMESPACE=1 exec unshare --mount --propagation private -- "$0" "$@"
fi

root=$(realpath -m "$1")
shift
repository=$(realpath "$(dirname "$0")/..")
sdk=$(dirname "$(realpath "$(command -v dotnet)")")

dotnet build -c Release "$repository/benchmarks"

if [ ! -e "$root/usr/lib/x86_64-linux-gnu/libgomp.so.1" ]; then
  debootstrap --variant=minbase --include=libstdc++6,libgomp1 trixie "$root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"}
fi

mkdir -p "$root/dotnet" "$root/repository" "$root/data"
mount -t proc proc "$root/proc"
mount --bind /sys "$root/sys"
mount --bind "$sdk" "$root/dotnet"
mount --bind "$repository" "$root/repository"
data=()
if [ -n "${AUTOENCODER_DATA:-}" ]; then
  mount --bind "$AUTOENCODER_DATA" "$root/data"
  data=(AUTOENCODER_DATA=/data)
fi

chroot "$root" /usr/bin/env -i -C /repository HOME=/root PATH=/dotnet:/usr/bin:/bin DOTNET_ROOT=/dotnet "${data[@]}" \
  dotnet benchmarks/bin/Release/net10.0/linux-x64/AutoencoderGpu.Benchmarks.dll "$@"
