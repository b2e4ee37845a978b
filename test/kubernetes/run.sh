#!/usr/bin/env bash
# `npm run test:kubernetes [-- --long] [JEST'S ARGUMENTS...]`: policies, rights and a cluster with a real API server, which is
# built from its Go modules at first (programs/build.sh), and Debian's etcd. With --long the API server is away for ten minutes
# instead of half a one.
set -euo pipefail
cd "$(dirname "$0")/../.."
arguments=()
for argument in "$@"; do
  if [ "$argument" = --long ]; then export SELVEDGE_LONG=1; else arguments+=("$argument"); fi
done
bash install/setup.sh kubernetes
bash test/kubernetes/programs/build.sh
export PATH=$PWD/node_modules/.bin:$PATH
node install/build.ts
bash test/kubernetes/image.sh
SELVEDGE_KUBERNETES=1 exec bash test/jest.sh test/kubernetes "${arguments[@]}"
