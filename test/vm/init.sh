#!/bin/sh
# Process 1 of the guest, run by busybox in the initramfs. Reaches the machine's file system (read-only over 9p, with a
# tmpfs above it that takes every write), and hands over to inside.sh there.
b=/bin/busybox
$b mount -t devtmpfs dev /dev
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
while read -r module; do $b insmod "/modules/$module" || echo "insmod $module failed" >/dev/kmsg; done </modules/order

# The ports by name: vm.order, vm.state, vm.out, vm.err.
state=
while [ -z "$state" ]; do
  for port in /sys/class/virtio-ports/*; do
    [ -e "$port/name" ] || continue
    read -r name <"$port/name"
    eval "${name#vm.}=/dev/${port##*/}"
  done
  [ -n "$state" ] || $b usleep 10000
done
echo ready >"$state"
# Blocks until there is something to do: a snapshot is taken here, so what follows is as of now.
read -r now seed cwd modules here share run <"$order"
$b date -u -s "@$now" >/dev/null
echo "$seed" >/dev/urandom

nine=trans=virtio,version=9p2000.L,msize=524288
if ! $b mount -t 9p -o "$nine,cache=loose,ro" machine /machine; then
  echo "vm: the machine's file system cannot be mounted" >/dev/kmsg
  $b reboot -f
fi
$b mount -t tmpfs -o size=75% tmpfs /changes
$b mkdir /changes/upper /changes/work
$b mount -t overlay -o lowerdir=/machine,upperdir=/changes/upper,workdir=/changes/work,xino=off overlay /root

for place in dev proc sys; do
  $b mkdir -p /root/$place
  $b mount --move /$place /root/$place
done
$b mkdir -p /root/run /root/tmp
$b mount -t tmpfs -o mode=755 tmpfs /root/run
$b mkdir -p /root/run/vm /root/run/netns /root/run/lock /root/dev/pts /root/dev/shm
$b mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /root/dev/pts
$b mount -t tmpfs tmpfs /root/dev/shm
$b ln -sf /proc/self/fd /root/dev/fd
$b ln -sf /proc/self/fd/0 /root/dev/stdin
$b ln -sf /proc/self/fd/1 /root/dev/stdout
$b ln -sf /proc/self/fd/2 /root/dev/stderr
# As udev has it: opening it loads the module.
$b mkdir -p /root/dev/net
$b mknod -m 666 /root/dev/net/tun c 10 200
$b mount -t cgroup2 cgroup2 /root/sys/fs/cgroup
$b mount -t bpf bpf /root/sys/fs/bpf
$b mount -t debugfs debugfs /root/sys/kernel/debug
$b mkdir -p /root/usr/lib/modules
$b mount --bind "/root$modules" /root/usr/lib/modules
# A directory of the machine that may be written through; it always holds the order itself.
$b mkdir -p /root/run/vm/share
$b mount -t 9p -o "$nine,cache=none,rw" share /root/run/vm/share
if [ "$share" != - ]; then
  $b mkdir -p "/root$share"
  $b mount --bind /root/run/vm/share "/root$share"
fi
$b cp /bin/busybox /root/run/vm/busybox
export cwd run state out err
exec $b switch_root /root /run/vm/busybox sh "$here/inside.sh"
