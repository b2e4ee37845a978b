/** One line for each operation, as an operator could type it: the log, `selvedgectl plan` and the golden tables use it. */

import type { VirtualFunctionSettings } from "./device-fact.ts";
import type { Op } from "./diff.ts";
import { type Fact, markText } from "./fact.ts";

const SIGN = { add: "+", change: "~", remove: "-" } as const satisfies Record<Op["do"], string>;

export const line = (op: Op): string => `${SIGN[op.do]} ${text(op.fact)}`;

const word = (name: string, value: string | number | boolean | undefined): string =>
  value === undefined || value === false ? "" : value === true ? ` ${name}` : ` ${name} ${value}`;

function text(f: Fact): string {
  const place = f.at === "pod" ? " [pod]" : "";
  switch (f.type) {
    case "link":
      return (
        `link ${f.name}${place} ${f.kind} ${f.up ? "up" : "down"}${word("parent", f.parent?.name)}${word("mode", f.mode)}` +
        `${word("id", f.vlan?.id ?? f.vxlan?.id)}${word("remote", f.gre?.remote)}${word("key", f.gre?.key ?? f.wireguard?.publicKey)}${word("from", f.lent?.name)}${word("mtu", f.mtu)}${word("mac", f.mac)}` +
        `${word("peer", f.peer?.name)}${word("master", f.master)}${word("vlan-filtering", f.vlanFiltering)}${word("hairpin", f.hairpin)}${word("quiet", f.quiet)}` +
        `${word("promisc", f.promiscuous)}${word("no-ipv6-link-local", f.noIpv6LinkLocal)}${word("route-localnet", f.routeLocalnet)}`
      );
    case "address":
      return `addr ${f.address} dev ${f.link}${place}`;
    case "route":
      return (
        `route ${f.unreachable === true ? "unreachable " : ""}${f.to}${word("via", f.via)} dev ${f.link}${place}${word("onlink", f.onlink)}${word("src", f.source)}` +
        `${word("metric", f.metric)}${word("mtu", f.mtu)}${word("advmss", f.advmss)}${word("scope", f.scope)}${word("table", f.table)}`
      );
    case "neighbour":
      return `neigh ${f.address} lladdr ${f.mac} dev ${f.link}${place} permanent`;
    case "rule":
      return `rule${f.family === 6 ? " -6" : ""}${place} priority ${f.priority} from ${f.from ?? "all"}${word("iif", f.iif)}${word("fwmark", f.mark && markText(f.mark))} table ${f.table}`;
    case "sysctl":
      return `sysctl ${f.key}=${f.value}${place}`;
    case "shaper":
      return `qdisc tbf dev ${f.link}${place} rate ${f.rateBits}bit burst ${f.burstBytes}b latency ${f.latencyUs}us`;
    case "tree":
      return (
        `qdisc htb dev ${f.link}${place} rate ${f.rateBits}bit burst ${f.burstBytes}b latency ${f.latencyUs}us` +
        f.classes
          .map(
            (c) =>
              ` class ${c.id} ${c.match.field} ${c.match.mac} rate ${c.rateBits}bit ceil ${c.ceilBits}bit prio ${c.order}`,
          )
          .join("")
      );
    case "redirect":
      return `filter ${f.hook ?? "ingress"} dev ${f.link}${place} redirect ${f.to}`;
    case "mirror":
      return `filter ${f.hook} dev ${f.link}${place} mirror ${f.to} slot ${f.slot} matches ${f.matches.length}`;
    case "port-vlan":
      return `vlan ${f.vid} dev ${f.link}${place}${word("pvid", f.pvid)}${word("untagged", f.untagged)}`;
    case "forward":
      return `fdb ${f.mac} dev ${f.link}${place} dst ${f.to}`;
    case "port-mac":
      return `fdb ${f.mac} dev ${f.link}${place} master`;
    case "wireguard-peer":
      return `wg peer ${f.publicKey} dev ${f.link}${place} endpoint ${f.endpoint.address} port ${f.endpoint.port} allowed-ips ${f.allowed.join(",") || "none"}`;
    case "driver":
      return `driver ${f.pci} ${f.driver}`;
    case "rdma":
      return `rdma ${f.name}${place}`;
    case "vf":
      return `vf ${f.vf} dev ${f.link}${settingWords(f.settings)}`;
    case "offload":
      return `offload dev ${f.link}`;
    case "table":
      return `table ${f.family} ${f.name}`;
    case "element":
      return `element ${f.family} ${f.table} ${f.set} { ${f.key.join(" . ")}${f.value ? ` : ${f.value.join(" . ")}` : ""} }`;
  }
}

const settingWords = (of: VirtualFunctionSettings): string =>
  Object.entries(of)
    .map(([name, value]) => ` ${name} ${value}`)
    .join("");
