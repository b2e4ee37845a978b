#!/usr/bin/env bash
# Runs Jest in network, mount and process namespaces of its own, so that no test can touch the machine and nothing stays
# behind: whatever a test started ends with the run, in whatever way that ends.
# Arguments go to Jest. Without root it runs in a user namespace, and tests that need more say so.
# In the guest of test/vm, which is as fresh and goes as a whole, it runs as it is: hardware is in the first namespace only.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/.bin:$PATH"
export NODE_OPTIONS="--experimental-vm-modules --disable-warning=ExperimentalWarning"
if [ -n "${SELVEDGE_VM-}" ]; then
  mkdir -p /run/netns /run/selvedge
  # Only the folders with tests are crawled: the machine's files are far away.
  exec node node_modules/jest/bin/jest.js "$@" --forceExit --runInBand --roots=test --roots=lib
fi
# Whatever a test leaves among temporary files goes with the run.
scratch=$(mktemp -d -t selvedge.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
chmod 711 "$scratch" # other users reach what tests give them
export TMPDIR=$scratch
# test/kubernetes needs an API server, which `npm run test:kubernetes` builds. Behind the arguments: Jest takes what follows for more of it.
elsewhere=()
[ -n "${SELVEDGE_KUBERNETES-}" ] || elsewhere+=(--testPathIgnorePatterns=/test/kubernetes/)
# One file at a time, since they share the namespaces; SELVEDGE_WORKERS: so many, of those that use none.
workers=(--runInBand)
[ -z "${SELVEDGE_WORKERS-}" ] || workers=("--maxWorkers=$SELVEDGE_WORKERS")
user=()
[ "$(id -u)" = 0 ] || user=(--user --map-root-user)
# *.vm.test.ts is for the guest alone.
unshare "${user[@]}" --mount --net --pid --fork --kill-child=KILL --mount-proc --propagation private bash -euc '
  # -n: otherwise it makes /run/mount in the /run of the machine.
  mount -n -t tmpfs -o mode=755 tmpfs /run
  mkdir -p /run/netns /run/selvedge
  ip link set lo up
  # Process 1 collects what the programs leave behind, and must not be one of them. Jest ends by itself, but not when a test
  # failed that had something open.
  node node_modules/jest/bin/jest.js "$@" --forceExit --testPathIgnorePatterns=/node_modules/ \
    --testPathIgnorePatterns=/dist/ --testPathIgnorePatterns="\.vm\.test\.ts$"
  exit $?
' jest "${workers[@]}" "$@" "${elsewhere[@]}"
