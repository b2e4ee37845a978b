/** What VyOS makes of NAT rules for nftables (vyos-1x python/vyos/nat.py, data/templates/firewall/nftables-nat.j2 of 1.4). */
import type { Tree } from "#lib/edge/tree.ts";
import { say, type Words, words } from "./words.ts";

/** As one transaction, the first time and every time. */
export function natText(running: Tree): string {
  const router = words(running).at("nat");
  const rules = (side: "source" | "destination", make: (rule: Words, comment: string) => string) =>
    router
      .names(side, "rule")
      .sort((a, b) => Number(a) - Number(b))
      .map((number) => make(router.at(side, "rule", number), `${side === "source" ? "SRC" : "DST"}-NAT-${number}`))
      .map((line) => `    ${line}`);
  return [
    "table ip vyos_nat",
    "delete table ip vyos_nat",
    "table ip vyos_nat {",
    "  chain PREROUTING {",
    "    type nat hook prerouting priority -100; policy accept;",
    ...rules("destination", destination),
    "  }",
    "  chain POSTROUTING {",
    "    type nat hook postrouting priority 100; policy accept;",
    ...rules("source", source),
    "  }",
    "}",
    "",
  ].join("\n");
}

const quoted = (name: string | undefined): string | undefined => (name === undefined ? undefined : `"${name}"`);

function matches(rule: Words): string {
  const protocol = rule.one("protocol");
  const port = rule.one("destination", "port");
  return [
    say("ip saddr", rule.one("source", "address")),
    say("ip daddr", rule.one("destination", "address")),
    port === undefined ? say("meta l4proto", protocol) : say(`${protocol} dport`, port),
  ].join("");
}

function source(rule: Words, comment: string): string {
  const to = rule.one("translation", "address");
  const verdict = to === "masquerade" ? "masquerade" : `snat to ${to}`;
  return `${say("oifname", quoted(rule.one("outbound-interface", "name")))}${matches(rule)} counter ${verdict} comment "${comment}"`.trim();
}

function destination(rule: Words, comment: string): string {
  const port = rule.one("translation", "port");
  const to = `${rule.one("translation", "address")}${port === undefined ? "" : `:${port}`}`;
  return `${say("iifname", quoted(rule.one("inbound-interface", "name")))}${matches(rule)} counter dnat to ${to} comment "${comment}"`.trim();
}
