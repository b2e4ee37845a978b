#!/usr/bin/env bash
# Builds the image of install/kubernetes/Dockerfile with podman, as .cache/kubernetes/selvedge.tar, once for each state of what
# goes into it. Its Debian is made of packages, not had from a registry. `npm run build` comes before.
set -euo pipefail
cd "$(dirname "$0")/../.."
into=$PWD/.cache/kubernetes
from=(install/kubernetes/Dockerfile install/kubernetes/install-node.sh install/net.d/05-selvedge.conflist)
from+=(install/systemd/network*/* install/NetworkManager/conf.d/*)
state=$(cat "${from[@]}" dist/selvedge{,d,ctl} "test/kubernetes/$(basename "$0")" | sha256sum | cut -d ' ' -f 1)
[ "$(cat "$into/selvedge.state" 2>/dev/null)" = "$state" ] && exit 0

mkdir -p "$into"
scratch=$(mktemp -d -t image.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
release=bookworm
base=localhost/debian:$release
if [ ! -e "$into/debian.tar" ]; then
  nice mmdebstrap --quiet --variant=minbase "$release" "$scratch/debian.tar"
  mv "$scratch/debian.tar" "$into/debian.tar"
fi

# No storage, cgroup or kernel feature that a container of a CI lacks.
pod() {
  nice podman --root "$scratch/root" --runroot "$scratch/run" --tmpdir "$scratch/tmp" \
    --storage-driver vfs --cgroup-manager cgroupfs "$@"
}
name=docker.io/library/selvedge:$(node --print 'require("./package.json").version')
pod import --quiet "$into/debian.tar" "$base" >/dev/null
pod build --quiet --isolation chroot --network host --pull-never --layers=false --build-arg "DEBIAN=$base" \
  --file install/kubernetes/Dockerfile --tag "$name" . >/dev/null
pod save --quiet --format docker-archive --output "$scratch/selvedge.tar" "$name"
mv "$scratch/selvedge.tar" "$into/selvedge.tar"
echo "$state" >"$into/selvedge.state"
