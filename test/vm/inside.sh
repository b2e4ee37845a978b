#!/bin/sh
# Process 1 of the guest once the machine's file system is its root: runs the order, says its exit code, ends the guest.
b=/run/vm/busybox
$b hostname vm
$b ip link set lo up
cd "$cwd" 2>/dev/null || cd /
# A clean environment, and bash: busybox's shell would prefer its own ip and ping. SELVEDGE_VM says where one is.
$b env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8 \
  SELVEDGE_VM=yes /bin/bash "$run" </dev/null >"$out" 2>"$err"
echo "code $?" >"$state"
$b sync
$b reboot -f
