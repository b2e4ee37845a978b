#!/usr/bin/env bash
# `npm run quickstart`: from a fresh clone to three pods that talk, on a throw-away node, in one command.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "$(id -u)" != 0 ]; then
  echo "quickstart makes network namespaces, which takes root: sudo npm run quickstart" >&2
  exit 1
fi
bash install/setup.sh quickstart
node_modules/.bin/node install/build.ts
exec bash install/demo-node.sh bash install/tour.sh
