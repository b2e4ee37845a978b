/** Egress addresses of a tenant, whose pods are behind a router of their own on every node. */
import { afterAll, beforeAll, test } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import { makeOutside, seenAs } from "./outside.ts";
import { addressOf, type Family, type Name } from "./place.ts";
import { makeRig, RIG, type Rig } from "./rig.ts";
import { cable } from "./wire.ts";

const FIXED = { 4: "198.51.100.201", 6: "2001:db8:2::201" } as const satisfies Record<Family, string>;
const NODES = ["a", "b", "c"] as const satisfies readonly Name[];

const runs = needing(...RIG);
let rig: Rig;
let outside: AsyncDisposable;
beforeAll(async () => {
  if (runs === test.skip) return;
  rig = await makeRig({
    underlay: 4,
    families: [4, 6],
    config: {
      pools: [
        { name: "default", ranges: [[{ subnet: "10.66.0.0/16" }], [{ subnet: "fd00:66::/48" }]] },
        { name: "blue", ranges: [[{ subnet: "10.0.0.0/16" }], [{ subnet: "fd00:77::/48" }]] },
      ],
      tenants: [{ name: "blue" }],
      networks: [{ name: "blue", tenant: "blue", pool: "blue" }],
    },
    cluster: {
      egress: [
        {
          name: "blue",
          addresses: [FIXED[4], FIXED[6]],
          pods: [{ tenant: "blue" }],
          nodes: ["b", "c"],
          holdSeconds: 5,
        },
      ],
    },
  });
  outside = await makeOutside();
});
afterAll(async () => {
  await outside?.[Symbol.asyncDispose]();
  await rig?.[Symbol.asyncDispose]();
});

runs(
  "the tenant's pods are seen by its addresses on every node, and others by their node's",
  async () => {
    for (const name of NODES) {
      const blue = await rig.nodes[name].add(`cl-et-${name}`, { network: "blue" });
      const other = await rig.nodes[name].add(`cl-eo-${name}`);
      for (const family of [4, 6] as const) {
        await seenAs(blue.id, FIXED[family]);
        await seenAs(other.id, addressOf(name, family));
      }
    }
  },
  180_000,
);

runs(
  "also when another node has taken over",
  async () => {
    const { addresses } = (await rig.nodes.a.ctl("egress")) as { addresses: { address: string; holder: string }[] };
    const holder = addresses.find(({ address }) => address === FIXED[4])?.holder === "b" ? "b" : "c";
    await cable(holder, false);
    try {
      const other = holder === "b" ? "c" : "b";
      await eventually(
        `${other} has it`,
        async () => (await rig.nodes[other].on("ip", "addr")).includes(`${FIXED[4]}/`) || undefined,
        60_000,
      );
      for (const name of ["a", other] as const) await seenAs(`cl-et-${name}`, FIXED[4]);
    } finally {
      await cable(holder, true);
    }
  },
  180_000,
);
