#!/usr/bin/env bash
# `npm run test:kubernetes [JEST'S ARGUMENTS...]`: policies and rights with a real API server, which is built from its Go modules
# at first (programs/build.sh), and Debian's etcd.
set -euo pipefail
cd "$(dirname "$0")/../.."
bash install/setup.sh kubernetes
bash test/kubernetes/programs/build.sh
export PATH=$PWD/node_modules/.bin:$PATH
node install/build.ts
bash test/kubernetes/image.sh
SELVEDGE_KUBERNETES=1 exec bash test/jest.sh test/kubernetes "$@"
