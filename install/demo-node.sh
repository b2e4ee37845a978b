#!/usr/bin/env bash
# Runs a command on a throw-away node: network, mount and process namespaces of its own, /run as an empty tmpfs, selvedged
# running with the default pool, and a second namespace `outside` on the other end of the node's eth0.
#   bash install/demo-node.sh COMMAND [ARGUMENT...]
# When the command ends, in whatever way, the kernel removes all of it: see demo-world.sh.
# The command finds selvedge, selvedgectl and node on its PATH, and plugin configurations in $DEMO_DIR.
set -euo pipefail
. "$(dirname "$0")/demo-world.sh"
mkdir -p /run/selvedge/queue
export SELVEDGE_SOCKET=/run/selvedge/selvedged.sock
export SELVEDGE_QUEUE=/run/selvedge/queue

ip link set lo up
ip netns add outside
ip -n outside link set lo up
# No link-local addresses: neighbour discovery need not wait for their duplicate detection.
ip link add eth0 type veth peer name eth0 netns outside
ip addr add 192.0.2.1/24 dev eth0
ip addr add 2001:db8:2::1/64 dev eth0 nodad
ip link set eth0 addrgenmode none up
ip -n outside addr add 192.0.2.2/24 dev eth0
ip -n outside addr add 2001:db8:2::2/64 dev eth0 nodad
ip -n outside link set eth0 addrgenmode none up
# The outside has no route back to the pods: what they send arrives only when it is masqueraded.
ip route add default via 192.0.2.2
ip -6 route add default via 2001:db8:2::2

cat >"$DEMO_DIR/selvedged.yaml" <<YAML
socket: $SELVEDGE_SOCKET
stateDir: /run/selvedge/state
queueDirs: [$SELVEDGE_QUEUE]
YAML

selvedged --config "$DEMO_DIR/selvedged.yaml" >"$DEMO_DIR/selvedged.log" 2>&1 &
daemon=$!
for _ in $(seq 100); do
  selvedgectl status >/dev/null 2>&1 && break
  kill -0 "$daemon" 2>/dev/null || break
  sleep 0.1
done
selvedgectl status >/dev/null || { echo "selvedged does not answer; its log:" >&2; cat "$DEMO_DIR/selvedged.log" >&2; exit 1; }

code=0
"$@" || code=$?
if [ "$code" != 0 ]; then
  printf '\nThe last lines of the log of selvedged:\n' >&2
  tail -n 20 "$DEMO_DIR/selvedged.log" >&2
fi
kill -TERM "$daemon" 2>/dev/null && wait "$daemon" || true
exit "$code"
