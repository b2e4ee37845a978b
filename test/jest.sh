#!/usr/bin/env bash
# Runs Jest in a network and mount namespace of its own, so that no test can touch the machine and nothing stays behind.
# Arguments go to Jest. Without root it runs in a user namespace, and tests that need more say so.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/.bin:$PATH"
export NODE_OPTIONS="--experimental-vm-modules --disable-warning=ExperimentalWarning"
user=()
[ "$(id -u)" = 0 ] || user=(--user --map-root-user)
exec unshare "${user[@]}" --mount --net --propagation private bash -euc '
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir -p /run/netns /run/selvedge
  ip link set lo up
  exec node node_modules/jest/bin/jest.js --forceExit "$@"
' jest "$@"
