/** FRR on three nodes and in two routers: pods are reached from outside by what BGP tells. */
import { expect } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import { needing } from "../support/requirement.ts";
import { EDGES, edgeOn, makeWorld, WORLD } from "./world.ts";

needing(...WORLD)(
  "nodes tell two routers by BGP where pods are",
  async () => {
    await using world = await makeWorld({
      router: (edge) => ({
        bgp: {
          as: 65_000,
          nodesAs: 65_001,
          addresses: [edgeOn(edge, 1)],
          listen: ["192.0.2.0/24", "198.51.100.0/24"],
          multihop: 2,
          bfd: true,
        },
      }),
    });
    const { rig } = world;
    await world.lead("10.66.0.0/16", ...EDGES);
    const pods = [await rig.nodes.a.add("bgp-a"), await rig.nodes.b.add("bgp-b")];
    try {
      for (const pod of pods) await eventually(`${pod.id} is reached`, () => world.reaches(pod.address[4]), 30_000);
    } catch (error) {
      const b = rig.nodes.b.store.replace("state/state.db", "frr/selvedge");
      for (const c of ["show bgp summary", "show bgp neighbors 192.0.2.251", "show ip nht", "show bfd peers"])
        console.log(await rig.nodes.b.on("vtysh", "--vty_socket", b, "-c", c));
      console.log(await rig.nodes.b.on("ss", "-tn"), await rig.nodes.b.on("ip", "route"));
      throw error;
    }
    expect(pods.length).toBe(2);
  },
  300_000,
);
