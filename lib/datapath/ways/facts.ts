/** Everything that a node has because of the ways to other nodes: what they share, and what each adds. */
import { type Family, family, hostPrefix } from "#lib/address.ts";
import type { ChosenWay } from "#lib/cluster/ways.ts";
import { element } from "#lib/state/element.ts";
import type { Fact } from "#lib/state/fact.ts";
import { answersFacts } from "../egress/answers.ts";
import { directFacts } from "./direct.ts";
import { type Here, type Stretch, stretches, type There } from "./ends.ts";
import { greFacts } from "./gre.ts";
import { NODE_LINK } from "./names.ts";
import { offloadFacts } from "./offload.ts";
import { vxlanDevice, vxlanFacts } from "./vxlan.ts";
import { mtuWithin, wireguardDevice, wireguardPeers, wireguardRoutes } from "./wireguard.ts";

/** Devices that peers share, and the largest packet that any of them takes by it, bytes; none: not needed. */
export interface Devices {
  readonly vxlan: Readonly<Partial<Record<Family, number>>>;
  readonly wireguard?: number;
  /** Links of the machine that direct ways lead by, sorted. */
  readonly direct?: readonly string[];
}

export const NO_DEVICES: Devices = { vxlan: {} };

/** The devices that one more way needs, too. */
export function devicesWith(devices: Devices, way: ChosenWay): Devices {
  const outer = family(way.to);
  return {
    vxlan:
      way.way === "vxlan"
        ? { ...devices.vxlan, [outer]: Math.max(devices.vxlan[outer] ?? 0, way.mtuBytes) }
        : devices.vxlan,
    ...(way.way === "direct" || devices.direct !== undefined
      ? { direct: [...new Set([...(devices.direct ?? []), ...(way.way === "direct" ? [way.egress.link] : [])])].sort() }
      : {}),
    ...(way.encrypted || devices.wireguard !== undefined
      ? { wireguard: Math.max(devices.wireguard ?? 0, way.encrypted ? mtuWithin(way) : 0) }
      : {}),
  };
}

/** What the peers share. In front of the facts of each. */
export function hereFacts(here: Here, devices: Devices): Fact[] {
  const tunnels = [
    ...(devices.wireguard === undefined ? [] : [wireguardDevice(here, devices.wireguard)]),
    ...([4, 6] as const).map((underlay) => {
      const mtu = devices.vxlan[underlay];
      return mtu === undefined ? undefined : vxlanDevice(here, underlay, mtu);
    }),
  ].filter((fact) => fact !== undefined);
  const links = [...(devices.direct ?? []), ...tunnels.map(({ name }) => name)];
  return [...nodeLink(here), ...tunnels, ...(here.flowOffload ? offloadFacts(links) : [])];
}

/** The node's own addresses among pods. */
function nodeLink({ tunnelAddresses }: Here): Fact[] {
  if (tunnelAddresses.length === 0) return [];
  return [
    {
      type: "link",
      at: "host",
      name: NODE_LINK,
      kind: "bridge",
      up: true,
      alias: "selvedge way node",
      noIpv6LinkLocal: true,
    },
    ...tunnelAddresses.map(
      (each): Fact => ({ type: "address", at: "host", link: NODE_LINK, address: hostPrefix(each) }),
    ),
  ];
}

/** What one peer adds: as many facts as it has prefixes, whatever the number of peers. */
export function peerFacts(here: Here, there: There): Fact[] {
  const all = stretches(there);
  return unique([
    ...there.addresses.map((each) => element("inet", family(each) === 4 ? "nodes4" : "nodes6", [each])),
    ...wireguardPeers(there, all),
    ...all.flatMap((stretch) => stretchFacts(here, there, stretch)),
    ...stretches({ ...there, ways: there.answers }).flatMap((each) => answersFacts(here, there, each)),
  ]);
}

function stretchFacts(here: Here, there: There, stretch: Stretch): Fact[] {
  switch (stretch.way.way) {
    case "direct":
      return directFacts(stretch);
    case "vxlan":
      return vxlanFacts(here, there, stretch);
    case "gre":
      return greFacts(here, there, stretch);
    case "wireguard":
      return wireguardRoutes(here, stretch);
  }
}

/** Two families of pods may share a device, a forwarding entry and the route to the other end. */
const unique = (facts: readonly Fact[]): Fact[] => [
  ...new Map(facts.map((fact) => [JSON.stringify(fact), fact])).values(),
];
