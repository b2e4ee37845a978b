#!/usr/bin/env bash
# The tour of `npm run quickstart`; runs on the node that install/demo-node.sh makes.
set -euo pipefail
cd "$(dirname "$0")/.."

. install/tour-steps.sh

# A web server that answers with the address its caller came from.
serve() { # serve NAMESPACE PORT
  ip netns exec "$1" node -e '
    require("http").createServer((q, a) => a.end(`'"$1"' was reached from ${q.socket.remoteAddress.replace("::ffff:", "")}\n`))
      .listen(+process.argv[1], "::")' "$2" &
  servers+=($!)
  for _ in $(seq 50); do
    ip netns exec "$1" ss -Hltn "sport = :$2" | grep -q . && return
    sleep 0.1
  done
  echo "no server in $1" >&2
  return 1
}
get() { # get NAMESPACE URL
  printf '%s $ get %s\n   ' "$1" "$2"
  ip netns exec "$1" node -e '
    require("http").get(process.argv[1], { timeout: 3000 }, (answer) => answer.pipe(process.stdout))
      .on("timeout", function () { this.destroy(new Error("no answer")) })
      .on("error", (error) => { console.log(error.message); process.exitCode = 1 })' "$2"
}
servers=()

step "The node: selvedged runs, nothing is attached yet"
show selvedgectl status

step "ADD: three pods through dist/selvedge, as a container runtime calls it"
configure pod-a '{}'
configure pod-b '{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}'
configure pod-c '{"bandwidth":{"ingressRate":100000000,"ingressBurst":1000000,"egressRate":100000000,"egressBurst":1000000}}'
for pod in pod-a pod-b pod-c; do
  ip netns add "$pod"
  ip -n "$pod" link set lo up
  printf '$ CNI_COMMAND=ADD CNI_CONTAINERID=%s selvedge <%s\n' "$pod" "$(cat "$DEMO_DIR/$pod.json")"
  cni ADD "$pod"
  echo
done
show ip -n pod-a addr show dev eth0
show ip -n pod-a route

step "Pod to pod, IPv4 and IPv6"
reach pod-a "$(address pod-b 4)"
reach pod-a "$(address pod-b 6)"
reach pod-b "$(address pod-c 4)"
reach pod-c "$(address pod-a 6)"

step "Pod to the outside, masqueraded: the outside sees the node's address"
serve outside 80
get pod-a http://192.0.2.2/
get pod-a "http://[2001:db8:2::2]/"

step "From the outside to the host port 8080 of pod-b"
serve pod-b 80
get outside http://192.0.2.1:8080/
get outside "http://[2001:db8:2::1]:8080/"

step "CHECK: is everything still as ADD made it?"
for pod in pod-a pod-b pod-c; do
  cni CHECK "$pod"
  echo "$pod: as it should be"
done

step "Somebody flushes the whole firewall; selvedged puts back what is ours"
show nft flush ruleset
started=$(date +%s%3N)
until cni CHECK pod-b >/dev/null; do
  [ $(($(date +%s%3N) - started)) -lt 3000 ] || { echo "it is not back after three seconds" >&2; exit 1; }
  sleep 0.02
done
echo "back after $(($(date +%s%3N) - started)) ms"
get outside http://192.0.2.1:8080/

step "What an operator sees"
show selvedgectl status
show selvedgectl attachments
show selvedgectl ipam
show selvedgectl trace pod-b
show selvedgectl plan

step "DEL, and nothing of the pods is left"
for server in "${servers[@]}"; do kill "$server"; done
wait "${servers[@]}" 2>/dev/null || true
for pod in pod-a pod-b pod-c; do
  printf '$ CNI_COMMAND=DEL CNI_CONTAINERID=%s selvedge\n' "$pod"
  cni DEL "$pod"
done
# Links leave the network at once and are deleted in small groups behind the answer.
for _ in $(seq 50); do
  ip -o link | grep -q ': s[vb][0-9a-f]' || break
  sleep 0.1
done
left=0
count() { # count WHAT NUMBER
  printf '%-28s %s\n' "$1" "$2"
  left=$((left + $2))
}
count "attachments:" "$(selvedgectl attachments --json | node -e 'console.log(JSON.parse(require("fs").readFileSync(0, "utf8")).attachments.length)')"
count "links besides lo and eth0:" "$(ip -o link | grep -cvE ': (lo|eth0)[@:]' || true)"
count "routes to pods:" "$(ip route show proto 83 | wc -l)"
# Sets of intervals hold prefixes of the node, not pods.
count "firewall entries:" "$(nft -j list ruleset | node -e '
  const all = JSON.parse(require("fs").readFileSync(0, "utf8")).nftables;
  const sets = all.flatMap((entry) => entry.set ?? entry.map ?? []);
  console.log(sets.filter((set) => !set.flags?.includes("interval")).flatMap((set) => set.elem ?? []).length)')"
count "queued DELs:" "$(find "$SELVEDGE_QUEUE" -type f | wc -l)"
[ "$left" = 0 ] || { echo "something is left" >&2; exit 1; }
for pod in pod-a pod-b pod-c; do ip netns del "$pod"; done

step "Done. The node with everything on it is gone when this command ends."
