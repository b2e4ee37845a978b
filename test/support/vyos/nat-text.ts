/** What VyOS makes of NAT rules for nftables (vyos-1x python/vyos/nat.py, data/templates/firewall/nftables-nat.j2 and nftables-nat66.j2 of 1.4). */
import type { Tree } from "#lib/edge/tree.ts";
import { say, type Words, words } from "./words.ts";

/** As one transaction, the first time and every time. */
export const natText = (running: Tree): string => [table(running, "ip"), table(running, "ip6")].join("");

function table(running: Tree, of: "ip" | "ip6"): string {
  const router = words(running).at(of === "ip" ? "nat" : "nat66");
  const suffix = of === "ip" ? "NAT" : "NAT66";
  const rules = (side: "source" | "destination", make: (of: "ip" | "ip6", rule: Words, comment: string) => string) =>
    router
      .names(side, "rule")
      .sort((a, b) => Number(a) - Number(b))
      .map((number) =>
        make(of, router.at(side, "rule", number), `${side === "source" ? "SRC" : "DST"}-${suffix}-${number}`),
      )
      .map((line) => `    ${line}`);
  return [
    `table ${of} vyos_nat`,
    `delete table ${of} vyos_nat`,
    `table ${of} vyos_nat {`,
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

function matches(of: "ip" | "ip6", rule: Words): string {
  const protocol = rule.one("protocol");
  const port = rule.one("destination", "port");
  return [
    say(`${of} saddr`, rule.one("source", of === "ip" ? "address" : "prefix")),
    say(`${of} daddr`, rule.one("destination", "address")),
    port === undefined ? say("meta l4proto", protocol) : say(`${protocol} dport`, port),
  ].join("");
}

function source(of: "ip" | "ip6", rule: Words, comment: string): string {
  const to = rule.one("translation", "address");
  const verdict = to === "masquerade" ? "masquerade" : `snat to ${to}`;
  return `${say("oifname", quoted(rule.one("outbound-interface", "name")))}${matches(of, rule)} counter ${verdict} comment "${comment}"`.trim();
}

function destination(of: "ip" | "ip6", rule: Words, comment: string): string {
  const port = rule.one("translation", "port");
  const address = rule.one("translation", "address");
  const to = port === undefined ? address : `${of === "ip" ? address : `[${address}]`}:${port}`;
  return `${say("iifname", quoted(rule.one("inbound-interface", "name")))}${matches(of, rule)} counter dnat to ${to} comment "${comment}"`.trim();
}
