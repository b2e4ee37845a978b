/** Reading the fake back as facts. */
import type { Fact } from "#lib/state/fact.ts";
import type { Place } from "#lib/state/place.ts";
import { madeAnew } from "../nature.ts";
import { forwardKey } from "./bridge.ts";
import type { Device, Network } from "./device.ts";
import { findRoute, ruleKey, sysctlValue } from "./internet.ts";
import { describeLink, isOurs, type NetworkAt } from "./link.ts";
import { findElement, findTable, ownTables, type Ruleset } from "./ruleset.ts";
import { isRemains } from "./single.ts";
import { findTraffic, trafficOf } from "./traffic.ts";

export function look(at: NetworkAt, ruleset: Ruleset, facts: readonly Fact[]): Fact[] {
  const links = facts.filter((fact) => fact.type === "link");
  const anew = madeAnew(links, (want) => {
    const device = at(want.at)?.devices.get(want.name);
    return device !== undefined && isRemains(at, device, want);
  });
  // A port of another bridge than the wanted one is on that one's VLANs, and loses them and what is behind it when it moves.
  const moved = links.filter(({ at: place, name, master }) => {
    const device = at(place)?.devices.get(name);
    return master !== undefined && device !== undefined && device.master?.name !== master;
  });
  const isMoved = (fact: Fact): boolean =>
    (fact.type === "port-vlan" || fact.type === "port-mac") &&
    moved.some(({ at: place, name }) => place === fact.at && name === fact.link);
  const there = facts.flatMap((fact) => {
    const network = at(fact.at);
    const isAbsent = anew.has(`${fact.at} ${linkOf(fact)}`) || isMoved(fact);
    const found = network === undefined || isAbsent ? undefined : find(at, network, ruleset, fact);
    return found === undefined ? [] : [found];
  });
  return [
    ...there,
    ...unwantedVlans(
      at,
      facts.filter((fact) => !isMoved(fact)),
    ),
  ];
}

const linkOf = (fact: Fact): string => (fact.type === "link" ? fact.name : "link" in fact ? fact.link : "");

/** VLANs of an attachment's own port that nobody asked for. */
function unwantedVlans(at: NetworkAt, facts: readonly Fact[]): Fact[] {
  const wanted = facts.filter((fact) => fact.type === "port-vlan");
  return [...new Set(wanted.map((fact) => `${fact.at} ${fact.link}`))].flatMap((port): Fact[] => {
    const [place, link = ""] = port.split(" ") as [Place, string];
    const device = at(place)?.devices.get(link);
    if (device === undefined || !isOurs(device) || (device.kind !== "veth" && device.kind !== "tap")) return [];
    return [...device.vlans]
      .filter(([vid]) => !wanted.some((fact) => fact.at === place && fact.link === link && fact.vid === vid))
      .map(([vid, flags]) => ({ type: "port-vlan", at: place, link, vid, ...flags }));
  });
}

function find(at: NetworkAt, network: Network, ruleset: Ruleset, fact: Fact): Fact | undefined {
  const device = network.devices.get(fact.type === "link" ? fact.name : "link" in fact ? fact.link : "");
  switch (fact.type) {
    case "link":
      return device && describeLink(at, device, fact);
    case "address": {
      const found = device?.addresses.get(fact.address);
      return found && { type: "address", at: fact.at, link: fact.link, address: fact.address };
    }
    case "route": {
      const found = findRoute(network, fact);
      return found && { ...found, at: fact.at };
    }
    case "neighbour": {
      const mac = device?.neighbours.get(fact.address);
      return mac && { ...fact, mac };
    }
    case "rule":
      return network.rules.has(ruleKey(fact)) ? fact : undefined;
    case "sysctl": {
      const value = sysctlValue(network, fact.key);
      return value === undefined ? undefined : { ...fact, value };
    }
    case "shaper":
    case "tree":
    case "redirect":
    case "mirror":
      return device && findTraffic(device, fact);
    case "port-vlan": {
      const found = device?.vlans.get(fact.vid);
      return found && { ...fact, ...found };
    }
    case "forward":
      return device?.forwards.has(forwardKey(fact)) ? fact : undefined;
    case "port-mac":
      return device?.behind.has(fact.mac) ? fact : undefined;
    case "wireguard-peer":
      return device?.peers.get(fact.publicKey);
    case "vf":
    case "driver":
    case "rdma":
      return undefined;
    case "offload":
      return device?.offloaded ? fact : undefined;
    case "table":
      return findTable(ruleset, fact.family, fact.name);
    case "element":
      return findElement(ruleset, fact);
  }
}

/** Everything on the host's side that carries our mark, but for elements. */
export function owned(host: Network, ruleset: Ruleset): Fact[] {
  const ours = [...host.devices.values()].filter(isOurs);
  const routes = [...host.routes.values()].filter((route) => route.ours);
  return [
    ...ours.flatMap(ofDevice),
    ...routes.map((route): Fact => ({ ...route.fact, at: "host" })),
    ...host.rules.values(),
    ...[...host.devices.values()].flatMap(({ name, offloaded }): Fact[] =>
      offloaded ? [{ type: "offload", at: "host", link: name }] : [],
    ),
    ...ownTables(ruleset),
  ];
}

const filtersForUs = (bridge: Device): boolean => isOurs(bridge) && bridge.nature.vlanFiltering === true;

const vlansOf = ({ name, vlans }: Device): Fact[] =>
  [...vlans].map(([vid, flags]) => ({ type: "port-vlan", at: "host", link: name, vid, ...flags }));

function ofDevice(device: Device): Fact[] {
  const at = "host";
  const link = device.name;
  const hostOnly: NetworkAt = (place) => (place === "host" ? device.network : undefined);
  return [
    describeLink(hostOnly, device, { at, kind: device.kind }),
    ...[...device.addresses.keys()].map((address): Fact => ({ type: "address", at, link, address })),
    ...[...device.neighbours].map(([address, mac]): Fact => ({ type: "neighbour", at, link, address, mac })),
    ...trafficOf(device),
    ...device.forwards.values(),
    ...[...device.behind].map((mac): Fact => ({ type: "port-mac", at, link, mac })),
    ...device.peers.values(),
    ...(filtersForUs(device.master ?? device) ? vlansOf(device) : []),
  ];
}
