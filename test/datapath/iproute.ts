/**
 * Facts as commands of iproute2 and nft: makes what the pure modules want without any code of ours that talks to the
 * kernel, so that a test of the facts is a test of the facts alone.
 */
import { execFileSync } from "node:child_process";
import type { Fact } from "#lib/state/fact.ts";

/** Runs one command in a namespace of /run/netns; words are separated by single blanks. */
export const run = (namespace: string, command: string): string =>
  execFileSync("ip", ["netns", "exec", namespace, ...command.split(" ")], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });

/** Applies a text in one transaction. */
export const nft = (namespace: string, text: string): void => {
  execFileSync("ip", ["netns", "exec", namespace, "nft", "-f", "-"], {
    input: text,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "pipe"],
  });
};

/** nft's spelling of an element: names of links are quoted. */
export const elementText = (f: Extract<Fact, { type: "element" }>): string => {
  const parts = (list: readonly string[]) => list.map((p) => (/^(sv|sb|[a-z]+\d)/.test(p) ? `"${p}"` : p)).join(" . ");
  const value = f.value === undefined ? "" : ` : ${parts(f.value)}`;
  return `add element ${f.family} ${f.table} ${f.set} { ${parts(f.key)}${value} }`;
};

/** Makes facts; `host` and `pod` are the names of the namespaces that they mean. A bridge that is there stays. */
export function make(facts: readonly Fact[], host: string, pod = ""): void {
  for (const fact of facts) for (const command of commands(fact, host)) run(fact.at === "host" ? host : pod, command);
  nft(host, facts.flatMap((f) => (f.type === "table" ? [f.text] : [])).join("\n"));
  nft(host, facts.flatMap((f) => (f.type === "element" ? [elementText(f)] : [])).join("\n"));
}

function commands(fact: Fact, host: string): string[] {
  switch (fact.type) {
    case "link":
      return linkCommands(fact, host);
    case "address":
      return [`ip addr replace ${fact.address} dev ${fact.link} ${fact.noPrefixRoute ? "noprefixroute " : ""}nodad`];
    case "route": {
      const via = fact.via === undefined ? "" : ` via ${fact.via}`;
      return [
        `ip ${fact.to.includes(":") ? "-6 " : ""}route replace ${fact.to}${via} dev ${fact.link}${fact.onlink ? " onlink" : ""}`,
      ];
    }
    case "neighbour":
      return [`ip neigh replace ${fact.address} lladdr ${fact.mac} dev ${fact.link} nud permanent`];
    case "sysctl":
      return [`sysctl -q -w ${fact.key}=${fact.value}`];
    case "shaper":
      return [
        `tc qdisc replace dev ${fact.link} root tbf rate ${fact.rateBits}bit burst ${fact.burstBytes}b latency ${fact.latencyUs}us`,
      ];
    case "redirect":
      return [
        `tc qdisc replace dev ${fact.link} clsact`,
        `tc filter replace dev ${fact.link} ingress matchall action mirred egress redirect dev ${fact.to}`,
      ];
    case "port-vlan":
      return [
        `bridge vlan add dev ${fact.link} vid ${fact.vid}${fact.pvid ? " pvid" : ""}${fact.untagged ? " untagged" : ""}`,
      ];
    case "forward":
      return [`bridge fdb append ${fact.mac} dev ${fact.link} dst ${fact.to}`];
    case "port-mac":
      return [`bridge fdb replace ${fact.mac} dev ${fact.link} master static`];
    case "wireguard-peer":
    case "vf":
    case "driver":
    case "rdma":
    case "tree":
    case "mirror":
    case "rule":
    case "offload":
    case "table":
    case "element":
      return [];
  }
}

function linkCommands(fact: Extract<Fact, { type: "link" }>, host: string): string[] {
  const dev = `ip link set dev ${fact.name}`;
  const pair = `ip link add ${fact.name} type veth peer name ${fact.peer?.name} netns ${host}`;
  const single = fact.kind === "veth" || exists(host, fact.name) ? [] : [`ip link add ${fact.name} type ${fact.kind}`];
  const make = fact.kind === "veth" && fact.at === "pod" ? [pair] : single;
  return [
    ...make,
    ...(fact.noIpv6LinkLocal ? [`${dev} addrgenmode none`] : []),
    ...(fact.mac ? [`${dev} address ${fact.mac}`] : []),
    ...(fact.mtu ? [`${dev} mtu ${fact.mtu}`] : []),
    ...(fact.master ? [`${dev} master ${fact.master}`] : []),
    ...(fact.hairpin ? [`bridge link set dev ${fact.name} hairpin on`] : []),
    ...(fact.routeLocalnet ? [`sysctl -q -w net/ipv4/conf/${fact.name}/route_localnet=1`] : []),
    `${dev} ${fact.up ? "up" : "down"}`,
  ];
}

function exists(host: string, link: string): boolean {
  try {
    run(host, `ip link show dev ${link}`);
    return true;
  } catch {
    return false;
  }
}
