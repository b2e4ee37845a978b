#!/usr/bin/env bash
# `npm run test:cluster [-- --long] [JEST'S ARGUMENTS...]`: three nodes with a real etcd, and what breaks between them. With
# --long etcd is away for five minutes instead of half a one, and the random walk is ten times as long.
set -euo pipefail
cd "$(dirname "$0")/../.."
arguments=()
for argument in "$@"; do
  if [ "$argument" = --long ]; then export SELVEDGE_LONG=1; else arguments+=("$argument"); fi
done
exec bash test/jest.sh test/cluster "${arguments[@]}"
