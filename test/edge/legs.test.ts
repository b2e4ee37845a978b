/** A router in a tenant's segment: what the pod sends to it, and what it sends to the pod, by a VXLAN between router and node. */
import { expect } from "@jest/globals";
import { eventually } from "../../conformance/program.ts";
import { capture, toldOf } from "../attach/capture.ts";
import { needing } from "../support/requirement.ts";
import { ALONE, makeAlone, NODE_HOSTS, ROUTER, ROUTER_HOSTS } from "./alone.ts";
import { pings } from "./telling.ts";

/** The router's, on the segment. */
const LEG = "10.0.255.254";

needing(...ALONE)(
  "a router reaches pods of a tenant on their segment, and they reach it",
  async () => {
    await using alone = await makeAlone(
      {
        legs: [
          {
            name: "blue",
            interface: "vxlan100",
            addresses: [`${LEG}/16`],
            vxlan: { vni: 100, local: ROUTER_HOSTS[0] },
          },
        ],
      },
      {},
      {
        pools: [
          { name: "default", ranges: [[{ subnet: "10.66.0.0/16" }]] },
          { name: "blue", ranges: [[{ subnet: "10.0.0.0/16", rangeEnd: "10.0.239.255" }]] },
        ],
        tenants: [{ name: "blue" }],
        networks: [
          {
            name: "net",
            tenant: "blue",
            pool: "blue",
            attachment: "bridge",
            options: { bridge: "br0", isDefaultGateway: true },
            encapsulation: { type: "vxlan", vni: 100, peers: [ROUTER_HOSTS[0]] },
          },
        ],
      },
    );
    const pod = await alone.node.add("leg-pod", { network: "net" });
    await eventually("the router reaches the pod", () => pings(ROUTER, pod.address[4]), 60_000);

    await using wire = await capture(ROUTER);
    await eventually("the pod reaches the router", () => pings(pod.id, LEG), 60_000);
    const both = [`vxlan100 in ${pod.address[4]} ${LEG}`, `lan in ${NODE_HOSTS[0]} ${ROUTER_HOSTS[0]}`];
    const told = await toldOf(wire, ...both);
    expect(told.filter((line) => line.startsWith("lan ") && line.includes(" 10.0."))).toEqual([]);
  },
  180_000,
);
