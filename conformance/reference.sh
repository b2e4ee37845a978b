#!/usr/bin/env bash
# Brings the reference implementation into a directory: the plugins and cnitool, built by Go from their releases. The
# suite is checked against them. Without Go or without the network Debian's containernetworking-plugins has to do (1.1.1:
# no GC, no STATUS, versions up to 1.0.0), and cnitool's tests say that they cannot run.
#   bash conformance/reference.sh            into .cache/reference
set -euo pipefail
cd "$(dirname "$0")/.."
into=$PWD/.cache/reference
cni=v1.3.1
plugins=v1.9.1

main=bridge,host-device,ipvlan,loopback,macvlan,ptp,tap,vlan
[ "$(cat "$into/versions" 2>/dev/null)" = "$cni $plugins $main" ] && exit 0
go=$(command -v go || echo /usr/local/go/bin/go)
[ -x "$go" ] || { echo "reference: no Go here; Debian's plugins in /usr/lib/cni serve" >&2; exit 0; }

building=$(mktemp -d)
trap 'rm -rf "$building"' EXIT
from=github.com/containernetworking
build() { GOBIN=$building CGO_ENABLED=0 timeout 300 "$go" install "$@"; }
{
  build $from/cni/cnitool@$cni &&
    build $(tr , '\n' <<<"$main" | sed "s|.*|$from/plugins/plugins/main/&@$plugins|") \
      $from/plugins/plugins/ipam/{host-local,static}@$plugins \
      $from/plugins/plugins/meta/{portmap,bandwidth,firewall,tuning}@$plugins
} || { echo "reference: Go could not build the releases; Debian's plugins in /usr/lib/cni serve" >&2; exit 0; }
mkdir -p "$into"
rm -f "$into/versions"
mv -f "$building"/* "$into/"
echo "$cni $plugins $main" >"$into/versions"
