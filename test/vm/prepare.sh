#!/usr/bin/env bash
# Prepares the guest once, from the distribution's packages alone: a kernel (Debian's 6.12, else the newest that
# linux-image-amd64 names), its modules unpacked, and an initramfs that mounts the machine's file system.
# About 30 s and 330 MB, in .cache/vm. Does nothing when it is there.
set -euo pipefail
. "$(dirname "$0")/machine.sh"

exec 5>"$cache/lock"
flock 5
# The initramfs is made from init.sh: another one is another guest.
stamp=$(cat "$here/prepare.sh" "$here/init.sh" | sha256sum | cut -c1-16)
[ "$(cat "$cache/prepared" 2>/dev/null)" != "$stamp" ] || exit 0
rm -f "$cache/prepared" "$cache"/snapshot.*

installed qemu-system-x86=qemu-system-x86_64 busybox-static=busybox cpio=cpio kmod=depmod xz-utils=xz zstd=zstd binutils=strip

tree=$cache/kernel
# Which modules are kept is written below: with another list they are unpacked again.
unpacked=$(sha256sum <"$here/prepare.sh")
if [ ! -e "$cache/vmlinux" ] || [ "$(cat "$cache/unpacked" 2>/dev/null)" != "$unpacked" ]; then
  image=$(dependency linux-image-6.12-amd64 'linux-image-[0-9].*')
  if [ -z "$image" ]; then
    apt-get update -qq >/dev/null 2>&1 || say "apt-get update failed; trying with the lists that are here"
    image=$(dependency linux-image-6.12-amd64 'linux-image-[0-9].*')
  fi
  [ -n "$image" ] || image=$(dependency linux-image-amd64 'linux-image-[0-9].*')
  [ -n "$image" ] || die "apt knows neither linux-image-6.12-amd64 nor linux-image-amd64: this takes Debian on amd64"
  say "preparing $image"
  work=$(mktemp -d -p "$cache")
  new=$work/tree
  trap 'rm -rf "$work"' EXIT
  (cd "$work" && fetched "$image" && dpkg -x ./*.deb "$new")
  release=$(ls "$new/lib/modules")

  # Modules that a container network can meet, unpacked: decompressing them in the guest takes long.
  (
    cd "$new/lib/modules/$release/kernel"
    keep() { local entry; for entry in *; do case " $* " in *" $entry "*) ;; *) rm -rf "$entry" ;; esac; done; }
    keep net drivers crypto lib fs arch virt
    cd drivers
    keep net virtio vfio uio vhost vdpa infiniband pci nvme block char ptp iommu hv crypto base platform i2c dca
    rm -rf net/wireless char/ipmi char/agp
  )
  find "$new" -name '*.ko.xz' -print0 | xargs -0 -r -n 64 -P "$(nproc)" xz -d
  # What modules.sh has built stays, and guests that run meanwhile find every module where it was.
  if [ -d "$tree/lib/modules/$release/extra" ]; then cp -a "$tree/lib/modules/$release/extra" "$new/lib/modules/$release/"; fi
  depmod -b "$new" "$release"

  # The kernel without its packing, entered through PVH: unpacking itself is slow without KVM. The offsets are those of
  # the boot protocol (Documentation/arch/x86/boot.rst): setup_sects, payload_offset, payload_length.
  packed=$new/boot/vmlinuz-$release
  number() { od -An -t "u$2" -j "$1" -N "$2" "$packed" | tr -d ' '; }
  offset=$(((1 + $(number 497 1)) * 512 + $(number 584 4)))
  tail -c +$((offset + 1)) "$packed" | head -c "$(number 588 4)" >"$work/payload" || true
  # Four bytes of length trail the payload; both programs complain about them when all is unpacked.
  case $(od -An -tx4 -N4 "$work/payload" | tr -d ' ') in
    fd2fb528) zstd -dcq <"$work/payload" >"$work/vmlinux" 2>/dev/null || true ;;
    587a37fd) xz -dcq --single-stream <"$work/payload" >"$work/vmlinux" 2>/dev/null || true ;;
  esac
  # Not an ELF file: QEMU boots the packed kernel as well, only slower.
  [ "$(head -c 4 "$work/vmlinux" 2>/dev/null | od -An -tx4 | tr -d ' ')" = 464c457f ] || cp "$packed" "$work/vmlinux"
  rm -rf "$tree"
  mv "$new" "$tree"
  mv "$work/vmlinux" "$cache/vmlinux"
  echo "$unpacked" >"$cache/unpacked"
fi

# The initramfs: busybox, the modules that reach the machine's file system, init.
release=$(ls "$tree/lib/modules")
root=$(mktemp -d -p "$cache")
trap 'rm -rf "${work:-}" "$root"' EXIT
mkdir -p "$root"/{bin,modules,proc,sys,dev,machine,changes,root}
cp "$(readlink -f "$(command -v busybox)")" "$root/bin/busybox"
ln -s busybox "$root/bin/sh"
for module in virtio_pci virtio_console 9pnet_virtio 9p overlay; do
  modprobe -d "$tree" -S "$release" --show-depends "$module" | sed -n 's/^insmod //p'
done | awk '!seen[$1]++ { print $1 }' | while read -r file; do
  cp "$file" "$root/modules/"
  basename "$file" >>"$root/modules/order"
done
install -m 755 "$here/init.sh" "$root/init"
(cd "$root" && find . | cpio -o -H newc -R 0:0 --quiet) >"$cache/initramfs.new"
mv "$cache/initramfs.new" "$cache/initramfs"
echo "$stamp" >"$cache/prepared"
