/**
 * The switch's ends of virtual functions: links of the host that stay there while a pod has the function, under another
 * name, marked and given ports' properties, and are as they were afterwards.
 */
import type { Op } from "#lib/state/diff.ts";
import { ERRNO, refused } from "#native/libc.ts";
import { insist } from "../netlink/socket.ts";
import { freeDevice, markDevice, renameDevice, type SeenDevice, setDeviceMtu, unmarkDevice } from "../rtnl/device.ts";
import { deviceByName, devicesIn, isLent, type LentFact } from "./lent.ts";
import type { Place } from "./place.ts";
import { taken } from "./veth.ts";

/** Of a virtual function's port, with that of its controller where there are several (net/devlink/port.c). */
const PORT_NAME = /^(?:c\d+)?pf(\d+)vf(\d+)$/;

export const isRepresentor = ({ portName = "" }: SeenDevice): boolean => PORT_NAME.test(portName);

/**
 * That of one virtual function of the card with this link. Where several physical functions are ports of one switch, they
 * are told apart by the number of the PCI function.
 */
export function representorOf(
  all: readonly SeenDevice[],
  { switchId, pci }: SeenDevice,
  index: number,
): SeenDevice | undefined {
  if (switchId === undefined) return undefined;
  const ports = all.flatMap((device) => {
    const [, physical, virtual] = PORT_NAME.exec(device.portName ?? "") ?? [];
    return device.switchId === switchId && Number(virtual) === index ? [{ device, physical }] : [];
  });
  const own = ports.length === 1 ? ports[0] : ports.find(({ physical }) => physical === pci?.at(-1));
  return own?.device;
}

/** Marked and renamed, and down until it is what is wanted; its ifindex. @throws SelvedgeError kernel, interface-exists */
export async function claim(host: Place, fact: LentFact): Promise<number> {
  const there = await deviceByName(host, fact.name);
  if (there !== undefined && there.alias !== fact.alias)
    throw taken(fact, { kind: there.kind ?? "physical", alias: there.alias });
  if (there !== undefined) return there.index;
  const device = await deviceByName(host, fact.lent.name);
  if (device === undefined)
    throw refused(`link get ${fact.lent.name}`, ERRNO.ENODEV, "the node has no such link any more");
  insist(await host.run([markDevice(device, fact.alias), renameDevice(device, fact.name)]));
  return device.index;
}

/** One that is gone went with its function; one that carries another's alias serves another. @throws SelvedgeError kernel */
export async function releaseAll(host: Place, ops: readonly Op[]): Promise<void> {
  for (const { do: verb, fact } of ops)
    if (verb === "remove" && fact.at === "host" && isLent(fact)) await release(host, fact);
}

async function release(host: Place, { name, alias, lent }: LentFact): Promise<void> {
  const named = await deviceByName(host, name);
  const device = named?.alias === alias ? named : devicesIn(host).find((each) => each.alias === alias);
  if (device === undefined) return;
  const requests = [
    ...(device.master === undefined ? [] : [freeDevice(device)]),
    ...(device.mtu === lent.mtu ? [] : [setDeviceMtu(device, lent.mtu)]),
  ];
  insist(await host.run(requests), [ERRNO.ENODEV]);
  if (device.name !== lent.name)
    insist(await host.run([renameDevice(device, lent.name)]), [ERRNO.EEXIST, ERRNO.ENODEV]);
  // The alias goes last, so that what a crash leaves is done again.
  insist(await host.run([unmarkDevice(device, lent.alias ?? "", lent.up)]), [ERRNO.ENODEV]);
}
