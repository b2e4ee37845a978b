#!/usr/bin/env bash
# Builds the image of install/kubernetes/Dockerfile with podman, as .cache/kubernetes/selvedge.tar, once for each state of what
# goes into it; and selvedge-next.tar, whose programs are of another version. Their Debian is made of packages, not had from a
# registry; it ends with 69 (sysexits.h, EX_UNAVAILABLE) where they cannot be had. `npm run build` comes before.
set -euo pipefail
cd "$(dirname "$0")/../.."
into=$PWD/.cache/kubernetes
version=$(node --print 'require("./package.json").version')
from=(install/kubernetes/Dockerfile install/kubernetes/install-node.sh install/net.d/05-selvedge.conflist)
from+=(install/systemd/network*/* install/NetworkManager/conf.d/*)
state=$(cat "${from[@]}" dist/selvedge{,d,ctl} "test/kubernetes/$(basename "$0")" | sha256sum | cut -d ' ' -f 1)
[ "$(cat "$into/selvedge.state" 2>/dev/null)" = "$state" ] && exit 0

mkdir -p "$into"
rm -f "$into/selvedge.state"
scratch=$(mktemp -d -t image.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch
# What it mounts and starts goes with it, in whatever way it ends.
alone() { unshare --mount --pid --fork --kill-child=KILL --mount-proc nice "$@"; }
release=bookworm
base=localhost/debian:$release
if [ ! -e "$into/debian.tar" ]; then
  alone mmdebstrap --quiet --variant=minbase "$release" "$scratch/debian.tar" || exit 69
  mv "$scratch/debian.tar" "$into/debian.tar"
fi

# No storage, cgroup or kernel feature that a container of a CI lacks.
pod() {
  alone podman --root "$scratch/root" --runroot "$scratch/run" --tmpdir "$scratch/tmp" \
    --storage-driver vfs --cgroup-manager cgroupfs "$@"
}
build() { pod build --quiet --isolation chroot --network host --pull-never --layers=false "$@" >/dev/null; }
save() { # save NAME ARCHIVE
  pod save --quiet --format docker-archive --output "$scratch/$2" "$1"
  mv "$scratch/$2" "$into/$2"
}
name=docker.io/library/selvedge
pod import --quiet "$into/debian.tar" "$base" >/dev/null
build --build-arg "DEBIAN=$base" --file install/kubernetes/Dockerfile --tag "$name:$version" .
save "$name:$version" selvedge.tar

node install/build.ts --version "$version-next" --into "$into/next"
printf 'FROM %s\nCOPY selvedge selvedged selvedgectl /opt/selvedge/\n' "$name:$version" >"$scratch/next"
build --file "$scratch/next" --tag "$name:next" "$into/next"
save "$name:next" selvedge-next.tar
echo "$state" >"$into/selvedge.state"
