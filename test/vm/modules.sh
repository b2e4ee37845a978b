#!/usr/bin/env bash
# Builds kernel modules that the distribution leaves out, against the guest's kernel, where the guest's modprobe finds
# them: netdevsim (from the kernel's source package) and those in folders of this one that have a Kbuild. About 40 s, once.
set -euo pipefail
. "$(dirname "$0")/machine.sh"

bash "$here/prepare.sh"
exec 5>"$cache/lock"
flock 5
tree=$cache/kernel
release=$(ls "$tree/lib/modules")
headers=$cache/headers
extra=$tree/lib/modules/$release/extra
sources=("$here"/*/Kbuild)
stamp=$(cat "$here/modules.sh" "$here"/*/{Kbuild,*.c} | sha256sum | cut -c1-16)-$release
[ "$(cat "$cache/modules" 2>/dev/null)" != "$stamp" ] || exit 0

# gcc-12 is what Debian built these kernels with; the headers name it.
installed gcc-12=gcc-12 make=make binutils=strip
mkdir -p "$extra"
work=$(mktemp -d -p "$cache")
trap 'rm -rf "$work"' EXIT

if [ ! -e "$headers/complete" ]; then
  say "fetching the headers of $release"
  common=$(dependency "linux-headers-$release" 'linux-headers-.*common.*')
  kbuild=$(dependency "linux-headers-$release" 'linux-kbuild-.*')
  [ -n "$common" ] && [ -n "$kbuild" ] || die "apt has no linux-headers-$release: its lists are newer than the guest; remove $cache"
  rm -rf "$headers"
  (cd "$work" && fetched "linux-headers-$release" "$common" "$kbuild" && for package in ./*.deb; do dpkg -x "$package" "$headers"; done)
  rm -f "$work"/*.deb
  # With it, the build would add BTF, which takes a program more.
  rm -f "$headers/usr/src/linux-headers-$release/vmlinux"
  # The headers name each other by the place where they would be installed.
  sed -i "s#/usr/src/linux-headers#$headers/usr/src/linux-headers#" "$headers/usr/src/linux-headers-$release/Makefile"
  touch "$headers/complete"
fi
build() { make -s -j"$(nproc)" -C "$headers/usr/src/linux-headers-$release" "$@" modules >&2; }

if [ ! -e "$extra/netdevsim.ko" ]; then
  source=linux-source-$(cut -d. -f1,2 <<<"$release")
  # 6.12.117+deb12-amd64 is of version 6.12.117-…; without that very one, the newest of the series builds as well.
  version=$(apt-cache madison "$source" | awk '{ print $3 }' | grep -m1 -F "${release%%+*}-" || true)
  say "building netdevsim from $source${version:+ $version}"
  (
    cd "$work"
    fetched "$source${version:+=$version}"
    dpkg --fsys-tarfile linux-source-*.deb | tar -xO "./usr/src/$source.tar.xz" | xz -dc -T0 |
      tar -x --wildcards "$source/drivers/net/netdevsim/*"
  )
  build M="$work/$source/drivers/net/netdevsim" CONFIG_NETDEVSIM=m
  strip --strip-debug -o "$extra/netdevsim.ko" "$work/$source/drivers/net/netdevsim/netdevsim.ko"
fi

for source in "${sources[@]}"; do
  module=$(basename "$(dirname "$source")")
  say "building $module"
  cp -r "$(dirname "$source")" "$work/$module"
  build M="$work/$module"
  strip --strip-debug -o "$extra/$module.ko" "$work/$module/$module.ko"
done
depmod -b "$tree" "$release"
echo "$stamp" >"$cache/modules"
