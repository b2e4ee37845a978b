#!/usr/bin/env bash
# Runs a command as root under another kernel, in a virtual machine without KVM (QEMU TCG) that sees this machine's file
# system. It may write everywhere; the writes vanish with the guest.
#
#   test/vm/run.sh [OPTION…] COMMAND [ARGUMENT…]     one argument is a line for bash
#     --modules         with netdevsim and the modules of this folder to be had from modprobe (built first, once)
#     --sriov           with two network cards of eight virtual functions each; implies --modules; the driver is loaded
#     --share DIR       what is written in DIR stays
#     --timeout SECONDS (600)
#     --memory MEBIBYTES (1024)
#     --cold            boot instead of resuming from a snapshot (4 s instead of 1.3 s)
#     --console         the guest's kernel log on stderr at the end
#   test/vm/run.sh --prepare [--modules]             only prepare
#
# Exit code: the command's; 124 after the timeout; 125 when the guest died, with its kernel log on stderr.
# The command finds SELVEDGE_VM=yes in its environment.
set -euo pipefail
. "$(dirname "$0")/machine.sh"

modules='' sriov='' share='' timeout=600 memory=1024 cold='' console='' prepare=''
while [ $# -gt 0 ]; do
  case $1 in
    --modules) modules=yes ;;
    --sriov) modules=yes sriov=yes cold=yes ;;
    --share) share=$(readlink -f "$2"); shift ;;
    --timeout) timeout=$2; shift ;;
    --memory) memory=$2; shift ;;
    --cold) cold=yes ;;
    --console) console=yes ;;
    --prepare) prepare=yes ;;
    --) shift; break ;;
    -*) die "unknown option $1; the options are at the top of test/vm/run.sh" ;;
    *) break ;;
  esac
  shift
done
[ -n "$prepare" ] || [ $# -gt 0 ] || die "no command; usage is at the top of test/vm/run.sh"

bash "$here/prepare.sh"
[ -z "$modules" ] || bash "$here/modules.sh"

append="console=ttyS0 quiet loglevel=4 panic=-1 reboot=t nokaslr mitigations=off nowatchdog tsc=reliable no_timer_check
  random.trust_cpu=on cryptomgr.notests audit=0 apparmor=0 selinux=0 rcupdate.rcu_expedited=1"
machine=q35
devices=()
if [ -n "$sriov" ]; then
  # QEMU 7.2 has no network card with SR-IOV, but its NVMe controller has it (hw/nvme); fakesriov drives that as a card.
  machine=q35,kernel-irqchip=split
  append="$append intel_iommu=on"
  devices=(-device intel-iommu,intremap=on)
  for card in 1 2; do
    devices+=(
      -device "pcie-root-port,id=port$card,chassis=$card,slot=$card"
      -device "nvme-subsys,id=subsystem$card,nqn=subsystem$card"
      -device "nvme,id=card$card,serial=card$card,bus=port$card,subsys=subsystem$card,sriov_max_vfs=8,sriov_vq_flexible=16,sriov_vi_flexible=8,max_ioqpairs=18,msix_qsize=10"
    )
  done
fi

run=$(mktemp -d -p "$cache" run.XXXXXX)
qemu=
finish() {
  [ -z "$qemu" ] || { kill "$qemu" 2>/dev/null; wait "$qemu" 2>/dev/null; } || true
  rm -rf "$run"
}
trap finish EXIT
trap 'exit 143' TERM INT

# start ARGUMENT…: QEMU in the background; descriptors 8 and 9 are where the guest's output goes.
start() {
  timeout -k 5 $((timeout + 60)) qemu-system-x86_64 -M "$machine" -accel tcg,thread=multi,tb-size=512 -cpu max,la57=off \
    -m "$memory" -smp 1 -nodefaults -no-user-config -display none -no-reboot \
    -kernel "$cache/vmlinux" -initrd "$cache/initramfs" -append "$(echo $append)" -serial "file:$run/console" \
    -fsdev local,id=machine,path=/,security_model=none,readonly=on,multidevs=remap \
    -device virtio-9p-pci,fsdev=machine,mount_tag=machine \
    -fsdev "local,id=share,path=${share:-$run},security_model=none,multidevs=remap" \
    -device virtio-9p-pci,fsdev=share,mount_tag=share \
    -device vmgenid -device virtio-serial-pci \
    -chardev "pipe,id=order,path=$run/order" -device virtserialport,chardev=order,name=vm.order \
    -chardev "pipe,id=state,path=$run/state" -device virtserialport,chardev=state,name=vm.state \
    -add-fd fd=8,set=1 -chardev file,id=out,path=/dev/fdset/1,append=on -device virtserialport,chardev=out,name=vm.out \
    -add-fd fd=9,set=2 -chardev file,id=err,path=/dev/fdset/2,append=on -device virtserialport,chardev=err,name=vm.err \
    -chardev "pipe,id=monitor,path=$run/monitor" -mon chardev=monitor,mode=readline \
    "${devices[@]}" "$@" </dev/null >"$run/qemu.log" 2>&1 &
  qemu=$!
}
# Opened for reading and writing, so that neither side waits for the other to come.
pipes() {
  mkfifo "$run"/{order,state,monitor}.{in,out}
  exec {order}<>"$run/order.in" {state}<>"$run/state.out" {monitor}<>"$run/monitor.in" {answers}<>"$run/monitor.out"
}

# Takes the snapshot: a guest that has booted and waits for its order.
snapshot() (
  exec 5>"$cache/lock"
  flock 5
  [ ! -e "$1" ] || exit 0
  run=$(mktemp -d -p "$cache" run.XXXXXX)
  trap finish EXIT
  share=
  pipes
  exec 8>/dev/null 9>/dev/null
  start
  read -r -t 120 _ <&"$state" || { cat "$run/console" "$run/qemu.log" >&2; die "the guest did not come up"; }
  printf '%s\n' 'migrate_set_parameter max-bandwidth 100G' "migrate \"exec:cat > $1.new\"" quit >&"$monitor"
  wait "$qemu"
  qemu=
  mv "$1.new" "$1"
)

resume=()
if [ -z "$cold" ]; then
  # Whatever changes the guest before its order changes the name.
  name=$(echo "$memory $append $machine $(stat -c %Y%s "$cache/initramfs" "$cache/vmlinux") $(qemu-system-x86_64 --version)" | sha256sum)
  snapshot "$cache/snapshot.${name:0:16}"
  resume=(-incoming "exec:cat $cache/snapshot.${name:0:16}")
fi
[ -z "$prepare" ] || exit 0

{
  [ -z "$sriov" ] || echo "modprobe fakesriov || exit 125"
  if [ $# = 1 ]; then printf '%s\n' "$1"; else printf '%q ' "$@"; echo; fi
} >"$run/command"

pipes
# The output goes through cat, which may be waited for: what the guest wrote last has arrived when this script ends.
exec 8> >(exec cat)
out=$!
exec 9> >(exec cat >&2)
err=$!
start "${resume[@]}"
exec 8>&- 9>&-
echo "$(date +%s) $(od -An -tx8 -N32 /dev/urandom | tr -d ' \n') $PWD $cache/kernel/lib/modules $here ${share:--} $run/command" >&"$order"

code=
begun=
heard() { # heard SECONDS: takes a line of the guest's; when the time ends in the middle of one, its beginning is kept
  local line=
  if ! read -r -t "$1" line <&"$state"; then
    begun+=$line
    return 1
  fi
  line=$begun$line
  begun=
  [[ $line != code\ * ]] || code=${line#code }
}
end=$((SECONDS + timeout))
while [ -z "$code" ]; do
  if heard 0.5; then
    continue
  elif ! kill -0 "$qemu" 2>/dev/null; then
    while heard 0.2; do :; done
    break
  elif [ "$SECONDS" -ge "$end" ]; then
    say "no end after $timeout s"
    code=124
  fi
done
# The guest ends by itself, which hands out the rest of its output.
if [ "$code" != 124 ]; then for _ in {1..20}; do kill -0 "$qemu" 2>/dev/null || break; sleep 0.05; done; fi
kill "$qemu" 2>/dev/null || true
wait "$qemu" 2>/dev/null || true
qemu=
wait "$out" "$err" 2>/dev/null || true
[ -z "$console" ] || cat "$run/console" >&2
if [ -z "$code" ]; then
  tail -n 60 "$run/qemu.log" "$run/console" >&2
  die "the guest ended without an exit code"
fi
exit "$code"
