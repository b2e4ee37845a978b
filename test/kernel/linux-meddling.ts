/** What somebody else does to Linux, by programs that are not ours. */
import { execFileSync } from "node:child_process";
import type { Meddling } from "#lib/kernel/meddling.ts";

/** `netns` is the name below /run/netns; undefined is the host's. */
export function meddleLinux(netns: string | undefined, change: Meddling): void {
  for (const [program, ...args] of commands(change)) {
    const inside = netns === undefined ? [] : ["ip", "netns", "exec", netns];
    const [file = "", ...rest] = [...inside, program, ...args];
    execFileSync(file, rest, { stdio: "pipe" });
  }
}

type Command = readonly [program: string, ...args: string[]];

function commands(change: Meddling): Command[] {
  switch (change.do) {
    case "set-link":
      return [
        ...(change.mtu === undefined ? [] : [ip("link set", change.link, "mtu", String(change.mtu))]),
        ...(change.mac === undefined ? [] : [ip("link set", change.link, "address", change.mac)]),
        ...(change.up === undefined ? [] : [ip("link set", change.link, change.up ? "up" : "down")]),
      ];
    case "delete-link":
      return [ip("link del", change.link)];
    case "add-link":
      return [ip("link add", change.link, "type", "bridge"), ip("link set", change.link, "up")];
    case "set-mode":
      return [ip("link set", change.link, "type", change.kind, "mode", change.mode)];
    case "add-port-vlan":
      return [
        ["bridge", "vlan", "add", "dev", change.link, "vid", String(change.vid), ...(change.pvid ? UNTAGGED : [])],
      ];
    case "delete-port-vlan":
      return [["bridge", "vlan", "del", "dev", change.link, "vid", String(change.vid)]];
    case "delete-forward":
      return [["bridge", "fdb", "del", change.mac, "dev", change.link, "dst", change.to]];
    case "delete-port-mac":
      return [["bridge", "fdb", "del", change.mac, "dev", change.link, "master"]];
    case "add-address":
      return [ip("addr add", change.address, "dev", change.link)];
    case "delete-address":
      return [ip("addr del", change.address, "dev", change.link)];
    case "add-route":
      return [ip("route add", change.to, "dev", change.link)];
    case "delete-route":
      return [ip(change.to.includes(":") ? "-6 route del" : "route del", change.to, "dev", change.link)];
    case "delete-neighbour":
      return [ip("neigh del", change.address, "dev", change.link)];
    case "write-sysctl":
      return [["sysctl", "-q", "-w", `${change.key}=${change.value}`]];
    case "delete-shaper":
      return [["tc", "qdisc", "del", "dev", change.link, "root"]];
    case "delete-redirect":
      return [["tc", "filter", "del", "dev", change.link, "ingress"]];
    case "delete-element": {
      const { family, table, set, key } = change.element;
      return [["nft", "delete", "element", family, table, set, `{ ${key.join(" . ")} }`]];
    }
    case "flush-chain":
      return [["nft", "flush", "chain", change.family, change.table, change.chain]];
    case "add-table":
      return [["nft", "add", "table", change.family, change.table]];
    case "delete-table":
      return [["nft", "delete", "table", change.family, change.table]];
    case "flush-ruleset":
      return [["nft", "flush", "ruleset"]];
  }
}

const UNTAGGED = ["pvid", "untagged"];
const ip = (verb: string, ...args: string[]): Command => ["ip", ...verb.split(" "), ...args];
