/** Egress addresses where everything between the nodes travels in WireGuard. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { needing } from "../support/requirement.ts";
import { PROGRAM } from "../ways/userspace.ts";
import { makeOutside, seenAs } from "./outside.ts";
import { addressOf, type Name } from "./place.ts";
import { makeRig, RIG, type Rig } from "./rig.ts";

const FIXED = "198.51.100.200";
const CHOSEN = { args: { cni: { labels: [{ key: "app", value: "billing" }] } } };
const NODES = ["a", "b", "c"] as const satisfies readonly Name[];

const runs = needing(...RIG, { file: PROGRAM });
let rig: Rig;
let outside: AsyncDisposable;
beforeAll(async () => {
  if (runs === test.skip) return;
  rig = await makeRig({
    underlay: 4,
    cluster: {
      way: "vxlan",
      encrypt: true,
      wireguard: { program: PROGRAM },
      egress: [
        {
          name: "billing",
          addresses: [FIXED],
          pods: [{ labels: { app: "billing" } }],
          nodes: ["b", "c"],
          holdSeconds: 5,
        },
      ],
    },
  });
  outside = await makeOutside();
}, 120_000);
afterAll(async () => {
  await outside?.[Symbol.asyncDispose]();
  await rig?.[Symbol.asyncDispose]();
});

runs(
  "chosen pods are seen by the address on every node, and others by their node's",
  async () => {
    for (const name of NODES) {
      const chosen = await rig.nodes[name].add(`cl-ew-${name}`, CHOSEN);
      const other = await rig.nodes[name].add(`cl-eo-${name}`);
      await seenAs(chosen.id, FIXED);
      await seenAs(other.id, addressOf(name, 4));
    }
    expect(await rig.nodes.a.on("ip", "route", "show", "table", "53000")).toMatch(/mtu 1390/);
  },
  180_000,
);
