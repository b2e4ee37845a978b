/** Egress addresses where everything between the nodes travels in WireGuard, alone or with another tunnel in it. */
import { describe, expect, test } from "@jest/globals";
import type { JsonObject } from "../../conformance/subject.ts";
import { needing } from "../support/requirement.ts";
import { PROGRAM } from "../ways/userspace.ts";
import { makeOutside, seenAs } from "./outside.ts";
import { answers } from "./ping.ts";
import { addressOf, type Name } from "./place.ts";
import { makeRig, RIG } from "./rig.ts";

const FIXED = { 4: "198.51.100.200", 6: "2001:db8:2::200", blue: "198.51.100.201" } as const;
const CHOSEN = { args: { cni: { labels: [{ key: "app", value: "billing" }] } } };
const NODES = ["a", "b", "c"] as const satisfies readonly Name[];

const WAYS: readonly [name: string, way: JsonObject][] = [
  ["VXLAN in WireGuard", { way: "vxlan", encrypt: true }],
  ["WireGuard", { way: "wireguard" }],
  ["WireGuard instead of direct ways, VXLAN in it elsewhere", { way: "auto", encrypt: true }],
];

const runs = needing(...RIG, { file: PROGRAM });

describe.each(WAYS)("%s", (_name, way) => {
  runs(
    "chosen pods and a tenant's are seen by the address on every node, and others by their node's",
    async () => {
      const held = { nodes: ["b", "c"], holdSeconds: 5 };
      await using rig = await makeRig({
        underlay: 4,
        families: [4, 6],
        config: {
          pools: [
            { name: "default", ranges: [[{ subnet: "10.66.0.0/16" }], [{ subnet: "fd00:66::/48" }]] },
            { name: "blue", ranges: [[{ subnet: "10.0.0.0/16" }]] },
          ],
          tenants: [{ name: "blue" }],
          networks: [{ name: "blue", tenant: "blue", pool: "blue" }],
        },
        cluster: {
          ...way,
          wireguard: { program: PROGRAM },
          egress: [
            { name: "billing", addresses: [FIXED[4], FIXED[6]], pods: [{ labels: { app: "billing" } }], ...held },
            { name: "blue", addresses: [FIXED.blue], pods: [{ tenant: "blue" }], ...held },
          ],
        },
      });
      await using _outside = await makeOutside();
      for (const name of NODES) {
        const chosen = await rig.nodes[name].add(`cl-ee-${name}`, CHOSEN);
        const blue = await rig.nodes[name].add(`cl-eb-${name}`, { network: "blue" });
        const other = await rig.nodes[name].add(`cl-eo-${name}`);
        await seenAs(chosen.id, FIXED[4]);
        await seenAs(chosen.id, FIXED[6]);
        await seenAs(blue.id, FIXED.blue);
        await seenAs(other.id, addressOf(name, 4));
        expect(await answers(chosen, other, 4)).toBe(true);
      }
      expect(await rig.nodes.a.on("ip", "route", "show", "table", "53000")).toMatch(/mtu 1390/);
      for (const name of NODES) expect(await rig.nodes[name].ctl("plan")).toMatchObject({ lines: [] });
    },
    180_000,
  );
});

test("there are ways", () => expect(WAYS.length).toBeGreaterThan(0));
