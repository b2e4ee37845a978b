#!/usr/bin/env bash
# Runs a command beside a throw-away cluster: three nodes, each a network namespace with a selvedged of its own, and a router
# between them, on which etcd runs. `alpha` and `beta` are on one network, `gamma` is on another:
#
#   alpha 192.0.2.1 ─┬─ seg1 ─ router 192.0.2.254, 198.51.100.254 ─ seg2 ─── gamma 198.51.100.3
#   beta  192.0.2.2 ─┘         etcd
#
#   bash install/demo-cluster.sh COMMAND [ARGUMENT...]
# The command runs on the router. When it ends, in whatever way, the kernel removes all of it: see demo-world.sh.
# It finds selvedge, selvedgectl and node on its PATH; selvedgectl asks alpha unless SELVEDGE_SOCKET says otherwise, and
# $DEMO_DIR/NODE holds the socket and the log of each node.
set -euo pipefail
. "$(dirname "$0")/demo-world.sh"
# Nodes see the namespaces of pods that come later.
mount -n --make-shared /run
export SELVEDGE_SOCKET=$DEMO_DIR/alpha/selvedged.sock
export SELVEDGE_QUEUE=$DEMO_DIR/alpha/queue

fail() { # fail WHAT LOG
  printf '%s; the end of its log:\n' "$1" >&2
  tail -n 20 "$2" >&2
  exit 1
}
until_true() { # until_true COMMAND...: for twenty seconds
  for _ in $(seq 200); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.1
  done
  return 1
}

ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
# Nobody waits for duplicate detection.
echo 0 >/proc/sys/net/ipv6/conf/default/dad_transmits
segment() { # segment NAME ADDRESS4 ADDRESS6
  ip link add "$1" type bridge
  ip link set "$1" up
  ip addr add "$2" dev "$1"
  ip addr add "$3" dev "$1" nodad
}
segment seg1 192.0.2.254/24 2001:db8:1::fe/64
segment seg2 198.51.100.254/24 2001:db8:2::fe/64

make_node() { # make_node NAME SEGMENT ADDRESS4 ADDRESS6 GATEWAY4 GATEWAY6
  ip netns add "$1"
  ip netns exec "$1" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/dad_transmits'
  ip -n "$1" link set lo up
  ip link add "to-$1" type veth peer name eth0 netns "$1"
  ip link set "to-$1" master "$2" up
  ip -n "$1" link set eth0 up
  ip -n "$1" addr add "$3/24" dev eth0
  ip -n "$1" addr add "$4/64" dev eth0 nodad
  ip -n "$1" route add default via "$5"
  ip -n "$1" -6 route add default via "$6"
  mkdir -p "$DEMO_DIR/$1/queue"
  cat >"$DEMO_DIR/$1/selvedged.yaml" <<YAML
socket: $DEMO_DIR/$1/selvedged.sock
stateDir: $DEMO_DIR/$1/state
queueDirs: [$DEMO_DIR/$1/queue]
cluster:
  store: { etcd: { endpoints: ["http://192.0.2.254:2379"], livenessSeconds: 5 } }
  node: { name: $1 }
  probe: { everyMs: 300 }
YAML
}
make_node alpha seg1 192.0.2.1 2001:db8:1::1 192.0.2.254 2001:db8:1::fe
make_node beta seg1 192.0.2.2 2001:db8:1::2 192.0.2.254 2001:db8:1::fe
make_node gamma seg2 198.51.100.3 2001:db8:2::3 198.51.100.254 2001:db8:2::fe

etcd --name=demo --data-dir="$DEMO_DIR/etcd" --log-level=error \
  --listen-client-urls=http://192.0.2.254:2379 --advertise-client-urls=http://192.0.2.254:2379 \
  --listen-peer-urls=http://127.0.0.1:2380 --initial-advertise-peer-urls=http://127.0.0.1:2380 \
  --initial-cluster=demo=http://127.0.0.1:2380 >"$DEMO_DIR/etcd.log" 2>&1 &
etcd=$!
echo "$etcd" >"$DEMO_DIR/etcd.pid"

daemons=()
for name in alpha beta gamma; do
  ip netns exec "$name" selvedged --config "$DEMO_DIR/$name/selvedged.yaml" >"$DEMO_DIR/$name/selvedged.log" 2>&1 &
  daemons+=($!)
done
answers() { SELVEDGE_SOCKET=$DEMO_DIR/$1/selvedged.sock selvedgectl status; }
for name in alpha beta gamma; do
  until_true answers "$name" || fail "selvedged on $name does not answer" "$DEMO_DIR/$name/selvedged.log"
done
# Each has an address of its own among pods, of each family, out of a block of its own.
complete() {
  selvedgectl nodes --json | node -e '
    const { nodes } = JSON.parse(require("fs").readFileSync(0, "utf8"));
    process.exit(nodes.filter((each) => each.liveness === "alive" && each.destinations > 1).length === 3 ? 0 : 1)'
}
until_true complete || fail "the nodes do not find each other" "$DEMO_DIR/alpha/selvedged.log"

code=0
"$@" || code=$?
if [ "$code" != 0 ]; then
  for name in alpha beta gamma; do
    printf '\nThe last lines of the log of selvedged on %s:\n' "$name" >&2
    tail -n 10 "$DEMO_DIR/$name/selvedged.log" >&2
  done
fi
kill -TERM "${daemons[@]}" 2>/dev/null && wait "${daemons[@]}" || true
exit "$code"
