/** The part of a router's settings that is about ends of tunnels into tenants' networks. */
import { z } from "zod";
import { type Complaint, complaint, lookUp } from "./complaint.ts";
import { familyIn, plainName } from "./edge-services.ts";
import { tunnelKind } from "./edge-tunnels.ts";
import { hostAddress, integer, ip, listOf, matching, network, port, setting, vrfName } from "./leaves.ts";
import { listAt } from "./overlaps.ts";
import { sameInterfaces } from "./twice.ts";
import type { Path } from "./yaml.ts";

const end = matching("an interface such as vxlan100 or tun10", /^(vxlan|tun)[0-9]{1,8}$/, 13);

/** RFC 7348. VyOS takes no larger number. */
const vxlan = z.strictObject(
  {
    vni: setting(integer(1, 16_777_214), "VXLAN network identifier: that of the network's `encapsulation`."),
    port: setting(port.default(4_789), "UDP port."),
    local: setting(ip, "Address of the router; it is one of `peers` of the network's `encapsulation`."),
    remotes: setting(
      listOf(ip, "a list of addresses").default([]),
      "The other ends, which get what is for everybody.",
      "the nodes, by their first address of the family",
    ),
  },
  { error: "an object such as {vni: 100, local: 192.0.2.251}" },
);

/** RFC 2784, RFC 2890. */
const gre = z.strictObject(
  {
    local: setting(ip, "Address of the router."),
    remote: setting(ip, "Address of the other end."),
    key: setting(integer(0, 4_294_967_295).optional(), "What tells it from other tunnels of the same address.", "none"),
  },
  { error: "an object such as {local: 192.0.2.251, remote: 192.0.2.9}" },
);

export const leg = z.strictObject(
  {
    name: setting(plainName, "For people: it is the interface's description."),
    interface: setting(end, "Interface of the router: `vxlan` and a number, or `tun` and a number for GRE."),
    addresses: setting(listOf(hostAddress, "a list of addresses").default([]), "Of the interface."),
    vrf: setting(vrfName.optional(), "VRF of the router that it is in.", "none"),
    mtu: setting(
      integer(1_280, 16_000).optional(),
      "Bytes, of the packets inside.",
      "what 1500 bytes outside have room for",
    ),
    networks: setting(listOf(network, "a list of prefixes").default([]), "What is reached by a GRE."),
    vxlan: setting(vxlan.optional(), "The tunnel, one of the two: a port of the tenant's segment."),
    gre: setting(gre.optional(), "The tunnel: between two addresses."),
  },
  { error: "an object such as {name: blue, interface: vxlan100, vrf: BLUE, vxlan: {vni: 100, local: 192.0.2.251}}" },
);

/** @param path of the router */
export function legMistakes(root: unknown, path: Path): Complaint[] {
  const all = listAt(lookUp(root, path), "legs");
  const keys: string[] = [];
  const ofEach = all.flatMap((each, i) => {
    const at = (...more: Path): Path => [...path, "legs", i, ...more];
    const { kind, mistakes } = tunnelKind(each, at(), { vxlan: "vxlan", gre: "tun" });
    if (kind === undefined) return mistakes;
    const local = lookUp(each, [kind, "local"]);
    const others = kind === "vxlan" ? listAt(lookUp(each, ["vxlan"]), "remotes") : [lookUp(each, ["gre", "remote"])];
    const mixed = others.find((other) => familyIn(other) !== undefined && familyIn(other) !== familyIn(local));
    const same = kind === "gre" ? `${String(local)} ${String(lookUp(each, ["gre", "key"]))}` : undefined;
    const isSame = same !== undefined && keys.includes(same);
    if (same !== undefined) keys.push(same);
    return [
      ...mistakes,
      ...(kind === "vxlan" && listAt(each, "networks").length > 0
        ? [
            complaint(
              at("networks"),
              "is possible only with `gre`; of a VXLAN give the interface an address of the segment",
            ),
          ]
        : []),
      ...(familyIn(local) !== undefined && mixed !== undefined
        ? [complaint(at(kind, "local"), `is of another family than ${String(mixed)}; a tunnel has ends of one`)]
        : []),
      ...(isSame
        ? [complaint(at("gre", "key"), "is that of another leg with the same `local`; give each its own")]
        : []),
    ];
  });
  return [...sameInterfaces(all, [...path, "legs"], "leg"), ...ofEach];
}
