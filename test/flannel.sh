#!/usr/bin/env bash
# Brings flannel, beside which ways between nodes are measured (bench/throughput) and whose place Selvedge takes
# (test/kubernetes/migration.test.ts), into .cache/flannel: flanneld and the CNI plugin, built by Go from the module proxy. What
# not every proxy has is left out: the backend of one cloud, and the plugin since it has a module of its own. Takes minutes,
# once. It ends with 1 where they cannot be built.
set -euo pipefail
cd "$(dirname "$0")/.."
into=$PWD/.cache/flannel
daemon=github.com/flannel-io/flannel@v0.28.10
plugin=github.com/containernetworking/plugins/plugins/meta/flannel@v0.9.1

[ "$(cat "$into/version" 2>/dev/null)" = "$daemon $plugin" ] && exit 0
go=$(command -v go || echo /usr/local/go/bin/go)
[ -x "$go" ] || { echo "flannel: no Go here" >&2; exit 1; }

building=$(mktemp -d)
trap 'rm -rf "$building"' EXIT
{
  "$go" mod download -json "$daemon" >"$building/module.json" &&
    source=$(node_modules/.bin/node -p 'JSON.parse(require("fs").readFileSync(process.argv[1], "utf8")).Dir' "$building/module.json") &&
    cp -r "$source" "$building/source" && chmod -R u+w "$building/source" && cd "$building/source" &&
    sed -i '/"[^"]*\/backend\/tencentvpc"/d' main.go && rm -r pkg/backend/tencentvpc &&
    GOFLAGS=-mod=mod timeout 1200 "$go" build -buildvcs=false -o "$building/flanneld" . &&
    GOBIN=$building CGO_ENABLED=0 timeout 300 "$go" install "$plugin"
} || { echo "flannel: Go could not build it" >&2; exit 1; }
mkdir -p "$into"
mv -f "$building/flanneld" "$building/flannel" "$into/"
echo "$daemon $plugin" >"$into/version"
