#!/bin/sh
# Makes a Debian 13 ready for a self-contained build of the program: run as root in the container image, and in the root that CI tests in.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update
# ca-certificates: MNIST is fetched over TLS. libssl3t64: .NET loads it for that. libstdc++6: the runtime's own need.
# ocl-icd-libopencl1, pocl-opencl-icd: an OpenCL device where there is no GPU.
apt-get install -y --no-install-recommends ca-certificates libssl3t64 libstdc++6 ocl-icd-libopencl1 pocl-opencl-icd
rm -rf /var/lib/apt/lists/*
id app > /dev/null 2>&1 || useradd --create-home app
