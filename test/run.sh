#!/usr/bin/env bash
# `npm test`: set-up, types, lint, build, then the tests: those that arguments name, or all but the long rigs, which have
# commands of their own and run where CI is set, too. Each of the first steps counts as one test, so that the
# closing line, `N passed, N failed, N skipped`, is the whole truth; the exit code says the same.
set -uo pipefail
cd "$(dirname "$0")/.."

# Runs on whatever `npm` the machine has; from here on with the project's own Node.
bash install/setup.sh test || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
export PATH="$PWD/node_modules/.bin:$PATH"
# Every start of Node pays for reading these certificates; no test talks to another machine.
unset NODE_EXTRA_CA_CERTS

passed=0
failed=0
step() { # step NAME COMMAND...
  local name=$1
  shift
  printf '\n== %s\n' "$name"
  if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

step types tsc
step lint biome check
step build node install/build.ts

# What the suites are checked against; the tests themselves have no network.
bash conformance/reference.sh
bash test/wireguard-go.sh

printf '\n== tests\n'
closing='^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$'
output=$(mktemp)
trap '[ -z "$beside" ] || kill -- "-$beside"; rm -f "$output"*' EXIT
skipped=0
# Jest reports on stderr; on stdout is its closing line, which goes into ours.
suite() { # suite COMMAND...
  "$@" >"$output"
  local code=$?
  grep -vE "$closing" "$output"
  if [[ $(grep -E "$closing" "$output" | tail -n 1) =~ $closing ]]; then
    passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[2]))
    skipped=$((skipped + BASH_REMATCH[3]))
    [ "$code" = 0 ] || [ "${BASH_REMATCH[2]}" != 0 ] || failed=$((failed + 1))
  else
    failed=$((failed + 1))
  fi
}
beside=
begin() { # begin COMMAND...
  # A process group of its own: it is told when this script is to end, and not by the terminal.
  set -m
  "$@" </dev/null >"$output.beside" 2>"$output.told" &
  beside=$!
  set +m
}
# What was begun, as if it ran now.
ended() {
  wait "$beside"
  local code=$?
  beside=
  cat "$output.told" >&2
  cat "$output.beside"
  return "$code"
}
# It is the daemon that was just built that runs.
export SELVEDGE_BUILT=1
if [ $# = 0 ]; then
  # What lies beside its source uses nothing that two files at a time could fight for.
  SELVEDGE_WORKERS=2 suite bash test/jest.sh --testPathIgnorePatterns='<rootDir>/test/'
  # Shared stores and API servers are waited for, minutes in all: beside the others, in namespaces of their own.
  begin bash test/jest.sh --roots=test/store --roots=test/k8s
  suite bash test/jest.sh --testPathIgnorePatterns='/test/(cluster|store|k8s)/' --roots=test
  suite ended
else
  suite bash test/jest.sh "$@"
fi

if [ -n "${CI-}" ] && [ $# = 0 ]; then
  printf '\n== three nodes\n'
  suite bash test/cluster/run.sh
  # What this kernel lacks.
  printf '\n== tests in a virtual machine\n'
  suite timeout 3000 bash test/vm/all.sh
  # CI ends a run after 90 minutes. What it takes longest to build comes last, as far as the time goes.
  printf '\n== a cluster with Kubernetes\n'
  suite bash test/kubernetes/in-time.sh $((84 * 60 - SECONDS))
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
