#!/usr/bin/env bash
# `npm run quickstart`: from a fresh clone to three pods that talk, on a throw-away node, in one command.
# `npm run quickstart -- --nodes 3`: the same on three nodes that find each other in etcd.
set -euo pipefail
cd "$(dirname "$0")/.."
case "$*" in
  '' | '--nodes 1' | '--nodes=1') profile=quickstart demo=demo-node.sh tour=tour.sh ;;
  '--nodes 3' | '--nodes=3') profile=cluster demo=demo-cluster.sh tour=cluster-tour.sh ;;
  *) printf 'quickstart does not know "%s"; it is: npm run quickstart [-- --nodes 1|3]\n' "$*" >&2; exit 2 ;;
esac
if [ "$(id -u)" != 0 ]; then
  echo "quickstart makes network namespaces, which takes root: sudo npm run quickstart" >&2
  exit 1
fi
bash install/setup.sh "$profile"
node_modules/.bin/node install/build.ts
exec bash "install/$demo" bash "install/$tour"
