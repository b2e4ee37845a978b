import { execFileSync } from "node:child_process";
import { expect, test } from "@jest/globals";
import { prefix } from "#lib/address.ts";
import { tables } from "#lib/datapath/tables.ts";
import { SETS } from "#lib/state/sets.ts";
import { nft, run } from "./iproute.ts";
import { missing } from "./missing.ts";

/** A namespace of its own: other tests run beside this one. */
const NS = "dp-tables";
const lacking = missing().length > 0;
const onRoot = lacking ? test.skip : test;
if (!lacking) execFileSync("ip", ["netns", "add", NS]);

const apply = (...noMasquerade: string[]) =>
  nft(
    NS,
    tables({ noMasquerade: noMasquerade.map((p) => prefix(p)) })
      .map((t) => t.text)
      .join(""),
  );

onRoot("the text makes the tables, can be applied again, and keeps elements", () => {
  apply();
  nft(NS, "add element inet selvedge ports4 { tcp . 8080 : 10.1.0.5 . 80 }");
  const first = run(NS, "nft list ruleset");
  apply();
  expect(run(NS, "nft list ruleset")).toBe(first);
  expect(first).toContain("tcp . 8080 : 10.1.0.5 . 80");
});

onRoot("every set of the table is declared", () => {
  const { nftables } = JSON.parse(run(NS, "nft -j list sets")) as {
    nftables: Record<string, { family: string; name: string }>[];
  };
  const maps = JSON.parse(run(NS, "nft -j list maps")) as typeof nftables & { nftables: typeof nftables };
  const listed = [...nftables, ...maps.nftables].flatMap((o) => [o.set ?? [], o.map ?? []].flat());
  expect(listed.map((s) => `${s.family} ${s.name}`).sort()).toEqual(SETS.map((s) => `${s.family} ${s.name}`).sort());
});

onRoot("subnets come, overlap and go", () => {
  const kept = () => /ip daddr != \{ ([^}]*) \}/.exec(run(NS, "nft list chain inet selvedge postrouting"))?.[1];
  apply("10.1.0.0/16", "10.1.2.0/24", "10.4.0.0/16");
  expect(kept()).toBe("10.1.0.0/16, 10.4.0.0/16, 169.254.0.0/16, 224.0.0.0/4");
  apply("10.4.0.0/16");
  expect(kept()).toBe("10.4.0.0/16, 169.254.0.0/16, 224.0.0.0/4");
});

onRoot("a removed chain and a removed table come back", () => {
  const rules = () => run(NS, "nft -s list table inet selvedge");
  apply();
  nft(NS, "flush table inet selvedge");
  apply();
  const whole = rules();
  nft(NS, "delete table inet selvedge");
  expect(() => rules()).toThrow();
  apply();
  nft(NS, "add element inet selvedge ports4 { tcp . 8080 : 10.1.0.5 . 80 }");
  expect(rules()).toBe(whole);
});
