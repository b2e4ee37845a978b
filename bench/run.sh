#!/usr/bin/env bash
# `npm run bench`: Selvedge beside the reference plugins, on a throw-away node.
#   npm run bench -- [--quick] [--only SUBJECT,…] [--json FILE]
#   npm run bench -- scale [--quick] [--json FILE]        a node among thousands
#   npm run bench -- edge [--quick] [--json FILE]         a router with many paths of ours
#   npm run bench -- kubernetes [--quick] [--json FILE]   a node that follows the pods of a large cluster
#   npm run bench -- enforcement [--quick] [--json FILE]  from a changed policy in a real API server to the kernel
#   npm run bench -- pod-start [--quick] [--json FILE]    how long pods of a cluster take to start
#   npm run bench -- policies [--quick] [--json FILE]     what policies cost a packet, and how soon they are in force
#   npm run bench -- throughput [--quick] [--json FILE]   between pods on two nodes
# In the guest of test/vm, where building takes minutes, it measures what the machine has built.
# The node is made of network, mount and process namespaces of its own; when the run ends, in whatever way, the kernel
# removes all of it. State is kept where /var/lib would be: on the disk of the temporary directory.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

program=(node_modules/.bin/bun bench/main.ts)
profile=test
case ${1-} in policies | throughput) profile=$1 ;; enforcement | pod-start) profile=kubernetes ;; esac
case ${1-} in edge | enforcement | kubernetes | pod-start | policies | scale | throughput) program=(node_modules/.bin/node "bench/$1/main.ts"); shift ;; esac
case " $* " in *" --help "*) exec "${program[@]}" "" --help ;; esac
[ "$(id -u)" = 0 ] || { echo "A node is made of namespaces, which takes root: run this with sudo." >&2; exit 1; }
if [ -z "${SELVEDGE_VM-}" ]; then
  bash install/setup.sh "$profile"
  node_modules/.bin/node install/build.ts
  [ "$profile" != kubernetes ] || bash test/kubernetes/programs/build.sh
  case ${program[1]} in */pod-start/*) PATH=$PWD/node_modules/.bin:$PATH bash test/kubernetes/image.sh ;; esac
  [ "$profile" != throughput ] || bash test/flannel.sh || echo "bench: without flannel" >&2
fi

state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
export TMPDIR=$state
# Every start of Node and Bun pays for reading these; nothing here talks TLS.
unset NODE_EXTRA_CA_CERTS NODE_OPTIONS

unshare --mount --net --pid --fork --kill-child=KILL --mount-proc --propagation private bash -euc '
  # -n: otherwise it makes /run/mount in the /run of the machine.
  mount -n -t tmpfs -o mode=755 tmpfs /run
  mkdir /run/netns
  ip link set lo up
  # Process 1 collects what the programs leave behind, and must not be one of them.
  "$@"
  exit $?
' bench "${program[@]}" "$state" "$@"
