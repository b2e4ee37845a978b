# How demo-node.sh and demo-cluster.sh become process 1 of a world of their own; sourced by them with their arguments. What
# they end with, in whatever way, ends all of it: the kernel takes processes away with their PID namespace, links, routes
# and firewall with the network namespaces, files with the tmpfs. There is no clean-up that could be missed.
# Sets DEMO_DIR, and puts selvedge, selvedgectl and node on the PATH.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

[ "$(id -u)" = 0 ] || { echo "Nodes are made of namespaces, which takes root: run this with sudo." >&2; exit 1; }
[ $# -gt 0 ] || { echo "usage: ${0##*/} COMMAND [ARGUMENT...]" >&2; exit 2; }

if [ "${1-}" != --inside ]; then
  # --kill-child: a SIGKILL of unshare ends the nodes too.
  exec unshare --mount --net --pid --fork --kill-child=KILL --mount-proc --propagation private \
    bash "$0" --inside "$@"
fi
shift

# Ctrl-C goes to the command; when it has ended, the script ends, and with it the nodes.
trap : INT TERM

# -n: otherwise it makes /run/mount in the /run of the machine.
mount -n -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns /run/demo
export DEMO_DIR=/run/demo
export PATH="$top/dist:$top/node_modules/.bin:$PATH"
# Every start of Node pays for reading these; nothing here talks TLS.
unset NODE_EXTRA_CA_CERTS NODE_OPTIONS
