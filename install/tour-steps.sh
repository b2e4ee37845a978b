# What the tours of `npm run quickstart` have in common; sourced by them. Needs DEMO_DIR, as demo-node.sh and demo-cluster.sh set it.

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || step() { printf '\n== %s\n' "$*"; }
show() { printf '$ %s\n' "$*"; "$@"; }

# The plugin's configuration as a runtime derives it from the conflist, with what the runtime adds for one pod.
configure() { # configure POD RUNTIMECONFIG
  node -e '
    const [conflist, file, runtimeConfig] = process.argv.slice(1);
    const { name, cniVersion, plugins: [{ capabilities, ...plugin }] } = JSON.parse(require("fs").readFileSync(conflist, "utf8"));
    require("fs").writeFileSync(file, JSON.stringify({ cniVersion, name, ...plugin, runtimeConfig: JSON.parse(runtimeConfig) }));
  ' install/net.d/05-selvedge.conflist "$DEMO_DIR/$1.json" "$2"
}

# One call of the plugin, as a container runtime makes it; WHERE is what runs it on a node, if that is not this one.
cni() { # cni VERB POD [WHERE...]
  CNI_COMMAND=$1 CNI_CONTAINERID=$2 CNI_NETNS=/run/netns/$2 CNI_IFNAME=eth0 CNI_PATH=$PWD/dist \
    CNI_ARGS="K8S_POD_NAMESPACE=default;K8S_POD_NAME=$2" "${@:3}" selvedge <"$DEMO_DIR/$2.json"
}

address() { # address POD FAMILY
  ip -n "$1" -j "-$2" addr show dev eth0 scope global | node -e '
    const [link] = JSON.parse(require("fs").readFileSync(0, "utf8")).filter((l) => l.addr_info);
    process.stdout.write(link.addr_info[0].local)'
}

reach() { # reach NAMESPACE ADDRESS
  printf '%s $ ping %s\n   ' "$1" "$2"
  ip netns exec "$1" ping -n -c 3 -i 0.2 -W 2 "$2" | grep -E 'packets transmitted'
}
