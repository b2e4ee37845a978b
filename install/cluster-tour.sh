#!/usr/bin/env bash
# The tour of `npm run quickstart -- --nodes 3`; runs beside the nodes that install/demo-cluster.sh makes.
set -euo pipefail
cd "$(dirname "$0")/.."

. install/tour-steps.sh

# Runs a command on a node.
on() { # on NODE COMMAND [ARGUMENT...]
  SELVEDGE_SOCKET=$DEMO_DIR/$1/selvedged.sock SELVEDGE_QUEUE=$DEMO_DIR/$1/queue ip netns exec "$@"
}
show_on() { # show_on NODE COMMAND [ARGUMENT...]
  printf '%s $ %s\n' "$1" "${*:2}"
  on "$@"
}
add() { # add POD NODE
  ip netns add "$1"
  ip -n "$1" link set lo up
  printf '%s $ CNI_COMMAND=ADD CNI_CONTAINERID=%s selvedge\n' "$2" "$1"
  cni ADD "$1" on "$2" >"$DEMO_DIR/answer" || { cat "$DEMO_DIR/answer"; return 1; }
  printf '   %s, %s\n' "$(address "$1" 4)" "$(address "$1" 6)"
}
del() { # del POD NODE
  printf '%s $ CNI_COMMAND=DEL CNI_CONTAINERID=%s selvedge\n' "$2" "$1"
  cni DEL "$1" on "$2"
  ip netns del "$1"
}
milliseconds() { date +%s%3N; }
# Routes follow the store's news within milliseconds: the first packets may be too early.
await() { # await NAMESPACE ADDRESS
  for _ in $(seq 50); do
    ip netns exec "$1" ping -n -c 1 -W 0.1 "$2" >/dev/null 2>&1 && return
  done
}

step "Three nodes: alpha and beta on one network, gamma behind a router; etcd is on the router"
show_on alpha selvedgectl nodes

step "How they reach each other: directly within a network, by VXLAN beyond it; the MTU is what the way leaves"
show_on alpha selvedgectl peers
show_on gamma selvedgectl connectivity

step "ADD: a pod on each, out of a block of addresses that is the node's own"
for pod in pod-a pod-b pod-c db-0; do configure "$pod" '{}'; done
add pod-a alpha
add pod-b beta
add pod-c gamma
show_on alpha selvedgectl blocks

step "Pod to pod, IPv4 and IPv6"
reach pod-a "$(address pod-b 4)"
reach pod-b "$(address pod-a 6)"
reach pod-a "$(address pod-c 4)"
reach pod-c "$(address pod-b 6)"

step "A pod whose address is kept for its name"
show_on beta selvedgectl reserve default/db-0
add db-0 alpha
before=$(address db-0 4)
await pod-c "$before"
reach pod-c "$before"

step "It ends on alpha and starts on gamma: the address comes along"
del db-0 alpha
started=$(milliseconds)
until add db-0 gamma; do
  [ $(($(milliseconds) - started)) -lt 10000 ] || { echo "it does not start on gamma" >&2; exit 1; }
  # As a runtime does when it is told to try again (code 11).
  ip netns del db-0
  sleep 0.2
done
after=$(address db-0 4)
[ "$after" = "$before" ] || { echo "it has $after on gamma, and had $before on alpha" >&2; exit 1; }
await pod-a "$after"
printf 'found from alpha %s ms after it had ended there\n' $(($(milliseconds) - started))
reach pod-a "$after"
reach pod-b "$(address db-0 6)"
show_on alpha ip route show "$after"

step "etcd stops answering: pods talk, come and go all the same"
kill -STOP "$(cat "$DEMO_DIR/etcd.pid")"
reach pod-a "$(address pod-c 4)"
configure pod-d '{}'
add pod-d beta
reach pod-d "$(address pod-c 4)"
del pod-d beta
kill -CONT "$(cat "$DEMO_DIR/etcd.pid")"

step "DEL, and nothing of the pods is left"
del pod-a alpha
del pod-b beta
del pod-c gamma
del db-0 gamma
left=0
for node in alpha beta gamma; do
  # Links leave the network at once and are deleted in small groups behind the answer.
  for _ in $(seq 50); do
    ip -n "$node" -o link | grep -q ': s[vb][0-9a-f]' || break
    sleep 0.1
  done
  attachments=$(on "$node" selvedgectl attachments --json |
    node -e 'console.log(JSON.parse(require("fs").readFileSync(0, "utf8")).attachments.length)')
  links=$(ip -n "$node" -o link | grep -c ': s[vb][0-9a-f]' || true)
  queued=$(ls "$DEMO_DIR/$node/queue" | wc -l)
  printf '%-6s attachments: %s, links of pods: %s, queued DELs: %s\n' "$node" "$attachments" "$links" "$queued"
  left=$((left + attachments + links + queued))
done
[ "$left" = 0 ] || { echo "something is left" >&2; exit 1; }

step "Done. The nodes with everything on them are gone when this command ends."
