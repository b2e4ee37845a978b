/** Devices of the fake's host: hardware that is plugged in, lent to pods and given back; virtual functions' settings. */
import { SelvedgeError } from "#lib/errors.ts";
import type { Device as Found } from "#lib/state/device.ts";
import type { VirtualFunctionFact, VirtualFunctionSettings } from "#lib/state/device-fact.ts";
import type { Op } from "#lib/state/diff.ts";
import type { Fact, LinkFact } from "#lib/state/fact.ts";
import type { Devices, PhysicalFunction, VirtualFunction } from "../devices.ts";
import { type Device, type Network, newDevice, takeDown } from "./device.ts";
import { setLink } from "./link.ts";
import { refusal } from "./refusal.ts";

/** A network card or one of its functions, as a test plugs it in. */
export interface Hardware extends Omit<Found, "link"> {
  /** Of its link, which the test makes on the host (`kind: "device"`). */
  readonly name?: string;
  /** For a physical function; its virtual ones are those that are plugged in. */
  readonly physical?: Omit<PhysicalFunction, "virtual">;
}

export interface Bench {
  readonly hardware: Hardware[];
  readonly settings: Map<string, VirtualFunctionSettings>;
  /** RDMA devices that are not on the host: as under a kernel where each belongs to one namespace. */
  readonly rdma: Map<string, Network>;
}

export const newBench = (): Bench => ({ hardware: [], settings: new Map(), rdma: new Map() });

const functionKey = (fact: Pick<VirtualFunctionFact, "link" | "vf">): string => `${fact.link} ${fact.vf}`;

export function fakeDevices(bench: Bench, host: Network): Devices {
  const found = ({ name, physical: _, ...rest }: Hardware): Found => {
    const device = [...host.devices.values()].find((each) => each.home === name);
    const link = device && {
      name: device.name,
      mac: device.mac,
      mtu: device.mtu,
      up: device.up,
      physical: true,
      ...(device.alias === undefined ? {} : { alias: device.alias }),
      ...(rest.pci === undefined ? {} : { pci: rest.pci }),
    };
    const { virtual } = rest;
    const settings = virtual && bench.settings.get(`${virtual.link} ${virtual.index}`);
    const now = settings === undefined || virtual === undefined ? rest : { ...rest, virtual: { ...virtual, settings } };
    return link === undefined ? now : { ...now, link };
  };
  return {
    async find(key) {
      const all = bench.hardware.map(found);
      if ("name" in key) return all.find(({ link }) => link?.name === key.name);
      if ("mac" in key) return all.find(({ link }) => link?.mac === key.mac);
      if ("pci" in key) return all.find(({ pci }) => pci === key.pci);
      return all.find(({ pci }) => pci !== undefined && key.path.endsWith(pci));
    },
    physicalFunctions: async () =>
      bench.hardware
        .flatMap(({ physical }) => physical ?? [])
        .map((physical) => ({
          ...physical,
          virtual: bench.hardware.flatMap((one): VirtualFunction[] => {
            const { virtual, pci = "", driver, link, nodes } = found(one);
            if (virtual === undefined || virtual.link !== physical.link) return [];
            return [
              {
                pci,
                index: virtual.index,
                isUsed: false,
                nodes,
                ...(driver === undefined ? {} : { driver }),
                ...(link === undefined ? {} : { link: link.name }),
                ...(link?.alias === undefined ? {} : { alias: link.alias }),
              },
            ];
          }),
        })),
    setVirtualFunctions: async () => {},
    whereIs: async () => undefined,
  };
}

/** From the host to the pod, down and without its addresses. @throws SelvedgeError kernel, interface-exists */
function lend(host: Network, pod: Network, fact: LinkFact): Device {
  const there = pod.devices.get(fact.name);
  if (there !== undefined && there.alias === fact.alias) return there;
  if (there !== undefined)
    throw new SelvedgeError({ kind: "interface-exists", name: fact.name }, `${fact.name} is taken by another link`);
  const device = [...host.devices.values()].find(({ name, alias }) => name === fact.lent?.name || alias === fact.alias);
  if (device === undefined) throw refusal(`link get ${fact.lent?.name}`, "ENODEV");
  move(device, pod, fact.name);
  return device;
}

/** Back to the host as it was, wherever it is among `networks`; one that carries another's alias stays. */
function giveBack(host: Network, networks: Iterable<Network>, { alias, lent }: LinkFact): void {
  const device = [...networks].flatMap(({ devices }) => [...devices.values()]).find((each) => each.alias === alias);
  if (device === undefined || lent === undefined) return;
  move(device, host, host.devices.has(lent.name) && device !== host.devices.get(lent.name) ? "dev0" : lent.name);
  device.alias = lent.alias;
  device.mtu = lent.mtu;
  if (lent.mac !== undefined) device.mac = lent.mac;
  device.up = lent.up;
}

/** Stays on the host, under the fact's name. @throws SelvedgeError kernel, interface-exists */
function claim(host: Network, fact: LinkFact): Device {
  const there = host.devices.get(fact.name);
  if (there !== undefined && there.alias !== fact.alias)
    throw new SelvedgeError({ kind: "interface-exists", name: fact.name }, `${fact.name} is taken by another link`);
  const device = there ?? host.devices.get(fact.lent?.name ?? "");
  if (device === undefined) throw refusal(`link get ${fact.lent?.name}`, "ENODEV");
  if (device !== there) move(device, host, fact.name);
  return device;
}

function release(host: Network, { name, alias, lent }: LinkFact): void {
  const device = host.devices.get(name);
  if (device === undefined || lent === undefined || device.alias !== alias) return;
  move(device, host, lent.name);
  device.master = undefined;
  device.vlans.clear();
  device.alias = lent.alias;
  device.mtu = lent.mtu;
  device.up = lent.up;
}

/** Hardware comes home when its namespace ends. */
export function comeHome(bench: Bench, from: Network, host: Network): void {
  for (const [name, network] of bench.rdma) if (network === from) bench.rdma.delete(name);
  for (const device of [...from.devices.values()])
    if (device.home !== undefined) move(device, host, host.devices.has(device.name) ? "dev0" : device.name);
}

function move(device: Device, to: Network, name: string): void {
  takeDown(device);
  device.addresses.clear();
  device.network.devices.delete(device.name);
  device.network = to;
  device.name = name;
  to.devices.set(name, device);
}

/** Makes the link that the hardware names, and remembers both. */
export function plug(bench: Bench, host: Network, hardware: Hardware, settings?: VirtualFunctionSettings): void {
  bench.hardware.push(hardware);
  if (hardware.name !== undefined) newDevice(host, hardware.name, "device");
  if (hardware.virtual !== undefined)
    bench.settings.set(`${hardware.virtual.link} ${hardware.virtual.index}`, settings ?? hardware.virtual.settings);
}

interface Networks {
  readonly host: Network;
  readonly pod: Network | undefined;
  readonly all: Iterable<Network>;
}

/** Whether the operation was of this kind. @throws SelvedgeError kernel, interface-exists */
export function performOnBench(bench: Bench, { host, pod, all }: Networks, { do: verb, fact }: Op): boolean {
  if (fact.type === "link" && fact.kind === "device" && fact.at === "host") {
    if (verb === "remove") release(host, fact);
    else setLink(claim(host, fact), fact);
    return true;
  }
  if (fact.type === "link" && fact.kind === "device") {
    if (verb === "remove") giveBack(host, all, fact);
    else if (pod !== undefined) setLink(lend(host, pod, fact), fact);
    return true;
  }
  if (fact.type === "driver") {
    const at = bench.hardware.findIndex(({ pci }) => pci === fact.pci);
    const before = bench.hardware[at];
    if (before !== undefined)
      bench.hardware[at] = { ...before, driver: verb === "remove" ? (fact.before ?? fact.driver) : fact.driver };
    return true;
  }
  if (fact.type === "rdma") {
    if (verb !== "remove" && pod !== undefined) lendRdma(bench, pod, fact.name);
    else if (bench.rdma.get(fact.name) === pod) bench.rdma.delete(fact.name);
    return true;
  }
  if (fact.type !== "vf") return false;
  const have = bench.settings.get(functionKey(fact));
  if (verb === "remove") {
    if (have !== undefined) bench.settings.set(functionKey(fact), { ...have, ...fact.before });
    return true;
  }
  if (have === undefined) throw refusal(`link set ${fact.link} vf ${fact.vf}`, "ENODEV");
  bench.settings.set(functionKey(fact), { ...have, ...fact.settings });
  return true;
}

/** @throws SelvedgeError kernel */
function lendRdma(bench: Bench, pod: Network, name: string): void {
  const where = bench.rdma.get(name);
  if (where === pod) return;
  if (where !== undefined || !bench.hardware.some(({ rdma }) => rdma.includes(name)))
    throw refusal(`rdma dev get ${name}`, "ENODEV");
  bench.rdma.set(name, pod);
}

export function lookAtBench(bench: Bench, fact: Fact, pod: Network | undefined): Fact | undefined {
  if (fact.type === "rdma") return pod !== undefined && bench.rdma.get(fact.name) === pod ? fact : undefined;
  if (fact.type === "driver") {
    const { driver } = bench.hardware.find(({ pci }) => pci === fact.pci) ?? {};
    return driver === undefined ? undefined : { ...fact, driver };
  }
  const have = fact.type === "vf" ? bench.settings.get(functionKey(fact)) : undefined;
  if (fact.type !== "vf" || have === undefined) return undefined;
  const names = Object.keys(fact.settings) as (keyof VirtualFunctionSettings)[];
  return { ...fact, settings: Object.fromEntries(names.map((name) => [name, have[name]])) };
}
