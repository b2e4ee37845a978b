#!/usr/bin/env bash
# Brings what Selvedge needs onto a Debian machine: system packages that are missing, and the pinned npm packages.
#   bash install/setup.sh quickstart    what the tour needs
#   bash install/setup.sh cluster       what the tour of three nodes needs
#   bash install/setup.sh test          the same and what the tests need (default)
#   bash install/setup.sh kubernetes    the same and what `npm run test:kubernetes` needs
#   bash install/setup.sh policies      what the tests need and what `npm run bench -- policies` needs
#   bash install/setup.sh throughput    what the tests need and what `npm run bench -- throughput` needs
# Does nothing, and takes well under a second, when all of it is there.
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${1:-test}

# package=path: the package is installed when nothing at any of the paths (separated by commas) exists.
quickstart=(
  nftables=/usr/sbin/nft
  libnftables1=/usr/lib/*/libnftables.so.1,/usr/lib/libnftables.so.1
  iproute2=/sbin/ip,/usr/sbin/ip,/usr/bin/ip
  iputils-ping=/bin/ping,/usr/bin/ping
)
cluster=(
  "${quickstart[@]}"
  etcd-server=/usr/bin/etcd,/usr/local/bin/etcd
)
test=(
  "${cluster[@]}"
  busybox-static=/bin/busybox,/usr/bin/busybox
  conntrack=/usr/sbin/conntrack,/usr/bin/conntrack
  containerd=/usr/bin/containerd,/usr/local/bin/containerd
  containernetworking-plugins=/usr/lib/cni/bridge
  etcd-client=/usr/bin/etcdctl,/usr/local/bin/etcdctl
  frr=/usr/lib/frr/bgpd
  frr-pythontools=/usr/lib/frr/frr-reload.py
  gcc=/usr/bin/gcc
  libc6-dev=/usr/include/stdlib.h
  openssl=/usr/bin/openssl
  podman=/usr/bin/podman
  procps=/bin/ps,/usr/bin/ps
  python3-minimal=/usr/bin/python3
  runc=/usr/sbin/runc,/usr/bin/runc
  systemd=/usr/bin/systemd-analyze
)
kubernetes=(
  "${test[@]}"
  iptables=/usr/sbin/iptables-restore
  mmdebstrap=/usr/bin/mmdebstrap
)
policies=(
  "${test[@]}"
  iptables=/usr/sbin/iptables-restore
  tcpreplay=/usr/bin/tcpreplay
)
throughput=(
  "${test[@]}"
  iperf3=/usr/bin/iperf3
)

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

case $profile in
  quickstart) wanted=("${quickstart[@]}") ;;
  cluster) wanted=("${cluster[@]}") ;;
  test) wanted=("${test[@]}") ;;
  kubernetes) wanted=("${kubernetes[@]}") ;;
  policies) wanted=("${policies[@]}") ;;
  throughput) wanted=("${throughput[@]}") ;;
  *) fail "unknown profile '$profile'; it is quickstart, cluster, test, kubernetes, policies or throughput" ;;
esac

missing=()
for entry in "${wanted[@]}"; do
  found=
  IFS=, read -ra paths <<<"${entry#*=}"
  for path in "${paths[@]}"; do compgen -G "$path" >/dev/null && found=yes; done
  [ -n "$found" ] || missing+=("${entry%%=*}")
done

# Tries a command three times: mirrors and registries have short outages.
retried() {
  local try
  for try in 1 2 3; do
    "$@" && return 0
    [ "$try" = 3 ] || { say "'$1 ${2-}' failed, trying again"; sleep $((try * 3)); }
  done
  return 1
}

if [ "${#missing[@]}" -gt 0 ]; then
  [ "$(id -u)" = 0 ] || fail "these packages are missing and only root can install them: ${missing[*]}"
  command -v apt-get >/dev/null || fail "install these packages (Debian's names) with this machine's package manager: ${missing[*]}"
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  { retried apt-get update && retried apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 ||
    { tail -n 30 "$log" >&2; fail "apt-get could not install: ${missing[*]}"; }
fi

# npm writes what it has installed to node_modules/.package-lock.json; it must be what package-lock.json says.
# Runs on whatever Node the machine has.
installed() {
  node -e '
    const read = (path) => JSON.parse(require("fs").readFileSync(path, "utf8")).packages;
    const have = read("node_modules/.package-lock.json");
    for (const [path, { version, optional }] of Object.entries(read("package-lock.json")))
      if (path !== "" && !(optional && !have[path]) && have[path]?.version !== version) process.exit(1);
  ' 2>/dev/null && runs
}
# The packages node and bun fetch or link their binaries when they are installed, so being listed is not enough.
runs() { node_modules/.bin/node --version && node_modules/.bin/bun --version; } >/dev/null 2>&1

if ! installed; then
  command -v npm >/dev/null || fail "npm is missing; install Node.js with npm 10 or newer (its version of Node does not matter)"
  say "installing npm packages"
  # Not `npm ci`: npm 11 refuses a lock that lacks optional packages of other platforms, which a mirror need not carry.
  # The versions are the lock's all the same, and are compared with it afterwards.
  retried npm install --no-save --no-audit --no-fund --loglevel=error || fail "npm install failed"
  runs || npm rebuild node bun
  runs || fail "node_modules/.bin/node or bun does not start; see the output of: npm rebuild node bun"
  installed || fail "node_modules differs from package-lock.json; remove node_modules and try again"
fi
