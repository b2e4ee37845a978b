/** What a node itself sends to a pod on another one takes the tunnel, under an address that the answer finds by it. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import type { Pod } from "./node.ts";
import { makeRig, RIG, type Rig } from "./rig.ts";

const runs = needing(...RIG);
let rig: Rig;
let pod: Pod;
beforeAll(async () => {
  if (runs === test.skip) return;
  rig = await makeRig({ underlay: 4, cluster: { way: "vxlan" } });
  pod = await rig.nodes.c.add("cl-own-c");
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
});

runs.each([4, 6] as const)(
  "IPv%i: the node has an address of its own among pods, and reaches a pod by it",
  async (family) => {
    const own = await eventually("the node's own address", async () => {
      const [link] = JSON.parse(await rig.nodes.a.on("ip", "-j", `-${family}`, "addr", "show", "selvedge-node"));
      return link?.addr_info?.[0]?.local as string | undefined;
    });
    const to = pod.address[family];
    const route = await eventually("the route", async () => {
      const [found] = JSON.parse(await rig.nodes.a.on("ip", "-j", "route", "get", to));
      return found?.dev === "svx4" ? found : undefined;
    });
    expect(route.prefsrc).toBe(own);
    await eventually("an answer", async () => {
      await rig.nodes.a.on("ping", "-n", "-c", "1", "-W", "1", to);
      return true;
    });
  },
);
