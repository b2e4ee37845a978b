#!/usr/bin/env bash
# Brings wireguard-go, which the tests use where the kernel has no WireGuard, into .cache/wireguard: built by Go from the
# module proxy. Without Go or the network its tests say that they cannot run.
set -euo pipefail
cd "$(dirname "$0")/.."
into=$PWD/.cache/wireguard
version=v0.0.0-20250521234502-f333402bd9cb

[ "$(cat "$into/version" 2>/dev/null)" = "$version" ] && exit 0
go=$(command -v go || echo /usr/local/go/bin/go)
[ -x "$go" ] || { echo "wireguard-go: no Go here" >&2; exit 0; }
GOBIN=$into CGO_ENABLED=0 timeout 300 "$go" install "golang.zx2c4.com/wireguard@$version" || {
  echo "wireguard-go: Go could not build it" >&2
  exit 0
}
echo "$version" >"$into/version"
