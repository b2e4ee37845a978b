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
bash test/kubernetes/prepare.sh

# Of all that containers are made of, cgroups alone are not the run's own: one that is ended in the midst leaves them, without
# processes a moment later. Others' are not empty, have other names, or were there before.
cgroups() {
  find /sys/fs/cgroup -ignore_readdir_race -maxdepth 2 -type d \( -name k8s.io -o -name 'selvedge-*' \) | sort
}
before=$(cgroups)
sweep() {
  local try left
  for try in {1..25}; do
    left=$(comm -13 <(echo "$before") <(cgroups))
    [ -n "$left" ] || return 0
    find $left -ignore_readdir_race -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.2
  done
}
# What cannot be removed is no failure of the tests.
trap 'sweep || true' EXIT
SELVEDGE_KUBERNETES=1 bash test/jest.sh test/kubernetes "${arguments[@]}"
