import { expect, test } from "@jest/globals";
import { prefix } from "#lib/address.ts";
import { lines } from "../../test/attach/sample.ts";
import { nodeFacts } from "./node.ts";
import { tables } from "./tables.ts";

test("what a node needs, in order", () =>
  expect(lines(nodeFacts({ noMasquerade: [], routerAdvertisedLinks: ["eth0"] }))).toEqual([
    "+ sysctl net/ipv6/conf/eth0/accept_ra=2",
    "+ sysctl net/ipv4/ip_forward=1",
    "+ sysctl net/ipv6/conf/all/forwarding=1",
    "+ table inet selvedge",
    "+ table bridge selvedge",
  ]));

const textOf = (noMasquerade: string[]) =>
  tables({ noMasquerade: noMasquerade.map((p) => prefix(p)) }).map((t) => t.text);

test("the same configuration in another order is the same text", () =>
  expect(textOf(["10.2.0.0/16", "10.1.0.0/16", "fd00::/48"])).toEqual(
    textOf(["fd00::/48", "10.1.0.0/16", "10.2.0.0/16"]),
  ));

test("the subnets that are not masqueraded stand in the rule", () => {
  const [inet = ""] = textOf(["10.1.0.0/16", "10.0.0.0/8", "fd00::/48"]);
  expect(inet.split("\n").filter((l) => l.includes("@masq"))).toEqual([
    "add rule inet selvedge postrouting ip saddr @masq4 ip daddr != { 10.0.0.0/8, 169.254.0.0/16, 224.0.0.0/4 } masquerade",
    "add rule inet selvedge postrouting ip6 saddr @masq6 ip6 daddr != { fd00::/48, fe80::/10, ff00::/8 } masquerade",
  ]);
});

test("every chain is emptied before a rule is added, and every line names our table", () => {
  for (const text of textOf([])) {
    const all = text.trimEnd().split("\n");
    expect(all.length).toBeGreaterThan(8);
    for (const line of all)
      expect(line).toMatch(/^(add (table|set|map|chain|rule)|flush chain) (inet|bridge) selvedge\b/);
    const firstRule = all.findIndex((l) => l.startsWith("add rule"));
    expect(all.slice(firstRule).every((l) => l.startsWith("add rule"))).toBe(true);
    const emptied = all.filter((l) => l.startsWith("flush chain")).map((l) => l.split(" ")[4]);
    const filled = all.filter((l) => l.startsWith("add rule")).map((l) => l.split(" ")[4]);
    expect(new Set(filled)).toEqual(new Set(emptied));
  }
});
