#!/bin/sh
# Puts Selvedge on a node, keeps it there, takes it away again. Touches its own files and no others.
#   install-node.sh run         puts the plugin there, runs the daemon, and writes the configuration list when the node is ready
#   install-node.sh plugin      the plugin alone
#   install-node.sh drop-ins    what tells systemd-networkd, udev and NetworkManager, where they are, to leave our links alone
#   install-node.sh conflist    waits until the node is ready, then writes the configuration list
#   install-node.sh alive       ends with 0 while the daemon answers
#   install-node.sh uninstall   takes away all of it when the daemon has ended; waits until the pods that it attached are gone
# In the environment: ROOT, before every path of the node; BIN and CONF, where its runtime looks for plugins and lists; PROGRAMS,
# where the programs are; CONFIG, the daemon's configuration; READY_SECONDS, how long the list is waited for at most.
set -eu
ROOT=${ROOT:-}
PROGRAMS=${PROGRAMS:-$(cd "$(dirname "$0")" && pwd)}
CONFIG=${CONFIG:-/etc/selvedge/selvedged.yaml}
READY_SECONDS=${READY_SECONDS:-0}
BIN=${BIN:-$ROOT/opt/cni/bin}
CONF=${CONF:-$ROOT/etc/cni/net.d}
LIST=05-selvedge.conflist
export SELVEDGE_SOCKET="${SELVEDGE_SOCKET:-$ROOT/run/selvedge/selvedged.sock}"

say() { printf 'install-node: %s\n' "$*" >&2; }

# put SOURCE TARGET MODE: by rename within the directory, so that nobody sees a half, a program that runs is not disturbed ("text
# file busy"), and runtimes notice. A file that is the same is left alone.
put() {
  [ -f "$2" ] && cmp -s "$1" "$2" && return 0
  mkdir -p "$(dirname "$2")"
  new=$(dirname "$2")/.$(basename "$2").new
  cp "$1" "$new"
  chmod "$3" "$new"
  sync "$new" 2>/dev/null || :
  mv -f "$new" "$2"
  say "wrote $2"
}

plugin() {
  put "$PROGRAMS/selvedge" "$BIN/selvedge" 755
  # containerd runs a plugin of that name for every pod; whoever else brought one keeps it.
  [ -e "$BIN/loopback" ] || [ -L "$BIN/loopback" ] || ln -s selvedge "$BIN/loopback"
}

# Programs that a node does not have get no directories. udev heeds a new file at once, the others when they start next: it is
# then that they would take away what is not theirs.
drop_ins() {
  for each in "$PROGRAMS"/drop-ins/*/*/*; do
    to=${each#"$PROGRAMS/drop-ins/"}
    [ ! -d "$ROOT/etc/${to%%/*}" ] || put "$each" "$ROOT/etc/$to" 644
  done
}

conflist() {
  waited=0
  until "$PROGRAMS/selvedgectl" status >/dev/null 2>&1; do
    [ "$READY_SECONDS" = 0 ] || [ "$waited" -lt "$READY_SECONDS" ] || { say "not ready after $waited s; no $LIST is written"; exit 1; }
    sleep 1
    waited=$((waited + 1))
  done
  put "$PROGRAMS/$LIST" "$CONF/$LIST" 644
}

# Of containers whose pair has an end on the node (lib/attach/names.ts): it goes with the container.
attached() {
  ip -oneline link show type veth | sed -n 's/^[0-9]*: sv[0-9a-f]\{11\}[:@].*alias selvedge \([^ ]*\) .*/\1/p'
}

uninstall() {
  told=
  while left=$(attached) && [ -n "$left" ]; do
    [ "$left" = "$told" ] || say "waits for the end of containers that Selvedge attached:" $left
    told=$left
    sleep 1
  done
  # The list first: without it no runtime asks for the plugin.
  rm -f "$CONF/$LIST" "$CONF/.$LIST.new"
  [ "$(readlink "$BIN/loopback" 2>/dev/null)" != selvedge ] || rm -f "$BIN/loopback"
  rm -f "$BIN/selvedge" "$BIN/.selvedge.new"
  for each in "$PROGRAMS"/drop-ins/*/*/*; do
    to=$ROOT/etc/${each#"$PROGRAMS/drop-ins/"}
    rm -f "$to" "$(dirname "$to")/.$(basename "$to").new"
  done
  # No package brings this directory. It stays while others have something there.
  rm -d "$ROOT/etc/systemd/networkd.conf.d" 2>/dev/null || :
  # What a daemon marks as its own: the name of tables, an alias of links, a protocol of routes and rules (lib/kernel/kernel.ts).
  for family in inet bridge; do nft delete table "$family" selvedge 2>/dev/null || :; done
  for link in $(ip -oneline link show | sed -n 's/^[0-9]*: \([^:@]*\)[:@].*alias selvedge .*/\1/p'); do
    ip link delete "$link" 2>/dev/null || :
  done
  for family in -4 -6; do
    ip "$family" route flush table all protocol 83 2>/dev/null || :
    ip "$family" rule flush protocol 83 2>/dev/null || :
  done
  # Tenants' routers are namespaces that a mount keeps.
  for router in "$ROOT"/run/selvedge/tenants/selvedge-*; do
    umount "$router" 2>/dev/null || :
  done
  rm -rf "$ROOT/var/lib/selvedge" "$ROOT/run/selvedge"
  say "nothing of Selvedge is left"
}

# A container without every privilege has them read-only.
sysctls() { [ -w /proc/sys/net/ipv4/ip_forward ] || mount -o remount,bind,rw /proc/sys; }

case ${1-} in
  run)
    sysctls
    plugin
    conflist &
    exec "$PROGRAMS/selvedged" --config "$CONFIG"
    ;;
  plugin) plugin ;;
  drop-ins) drop_ins ;;
  conflist) conflist ;;
  alive)
    # 4: it answers that it is not ready.
    "$PROGRAMS/selvedgectl" status >/dev/null 2>&1 || [ "$?" = 4 ]
    ;;
  uninstall) uninstall ;;
  *)
    sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
