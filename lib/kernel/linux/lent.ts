/**
 * Devices that were there before us, on their way to a pod and back. From the first step to the last the device carries
 * our alias, in whichever namespace it is: what a crash left half done is found by it, and what carries another's is left
 * alone.
 */
import { fstatSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { SelvedgeError } from "#lib/errors.ts";
import type { LentDevice } from "#lib/state/device-fact.ts";
import type { LinkFact } from "#lib/state/fact.ts";
import { ERRNO, refused } from "#native/libc.ts";
import { insist } from "../netlink/socket.ts";
import {
  dumpDevices,
  getDevice,
  markDevice,
  moveDevice,
  readDevice,
  renameDevice,
  type SeenDevice,
  setDeviceMac,
  setDeviceMtu,
  unmarkDevice,
} from "../rtnl/device.ts";
import { namespacePaths } from "./namespaces.ts";
import { namespaceOf, type Place, type PodPlace, podPlace } from "./place.ts";
import { taken } from "./veth.ts";

/** A link that is a device of the host: in the pod, or on the host for the pod's sake. */
export interface LentFact extends LinkFact {
  readonly lent: LentDevice;
  readonly alias: string;
}

export const isLent = (fact: { readonly type: string }): fact is LentFact => {
  const { type, kind, lent, alias } = fact as LinkFact;
  return type === "link" && kind === "device" && lent !== undefined && alias !== undefined;
};

export const devicesIn = (place: Place): SeenDevice[] => place.dump(dumpDevices).map(readDevice);

export async function deviceByName(place: Place, name: string): Promise<SeenDevice | undefined> {
  const [reply] = await place.run([getDevice(name)]);
  return reply?.messages.map(readDevice)[0];
}

/** The device at a place, whatever its name there: by its name first, which is one question instead of a list. */
async function carrying(place: Place, { alias, name, lent }: LentFact): Promise<SeenDevice | undefined> {
  const named = await deviceByName(place, place.at === "pod" ? name : lent.name);
  return named?.alias === alias ? named : devicesIn(place).find((device) => device.alias === alias);
}

/**
 * Brings the device into the pod, under its name there and down; its ifindex there. What is there already stays.
 * @throws SelvedgeError kernel, interface-exists
 */
export async function lend(host: Place, pod: Place, fact: LentFact): Promise<number> {
  const there = await deviceByName(pod, fact.name);
  if (there !== undefined && there.alias !== fact.alias)
    throw taken(fact, { kind: there.kind ?? "physical", alias: there.alias });
  const arrived = there ?? devicesIn(pod).find(({ alias }) => alias === fact.alias);
  if (arrived !== undefined) {
    if (arrived.name !== fact.name) insist(await pod.run([renameDevice(arrived, fact.name)]));
    return arrived.index;
  }
  const device = await onHost(host, fact);
  insist(await host.run([markDevice(device, fact.alias), moveDevice(device, namespaceOf(pod), fact.name)]));
  const moved = await deviceByName(pod, fact.name);
  if (moved?.alias !== fact.alias) throw refused(`link get ${fact.name}`, ERRNO.ENODEV, "it went elsewhere meanwhile");
  return moved.index;
}

/** The device on the host: by its name, or by its PCI address if it was given another. */
async function onHost(host: Place, fact: LentFact): Promise<SeenDevice> {
  const { name, pci } = fact.lent;
  const named = await deviceByName(host, name);
  if (named !== undefined && named.pci === pci) return named;
  const device = devicesIn(host).find((each) => each.alias === fact.alias || (pci !== undefined && each.pci === pci));
  if (device !== undefined) return device;
  throw refused(`link get ${name}`, ERRNO.ENODEV, `the node has no such device any more${pci ? ` (${pci})` : ""}`);
}

/** How long a device may take from the end of its namespace to its return: the kernel's clean-up runs behind. */
const RETURN_MS = 5_000;
const ASK_EVERY_MS = 25;

/**
 * Brings devices back to the host's namespace, from the pod's or from wherever they went when it ended. The ones that
 * are back are returned; one that carries another's alias now, or does not exist any more, is left out.
 * @throws SelvedgeError kernel, also when the device exists and cannot be found in time
 */
export async function fetchBack(
  host: Place,
  pod: PodPlace | undefined,
  facts: readonly LentFact[],
  exists: (lent: LentDevice) => boolean,
): Promise<[LentFact, SeenDevice][]> {
  const back: [LentFact, SeenDevice][] = [];
  for (const fact of facts) {
    if (pod !== undefined) await moveOut(pod, host, fact);
    const device = (await carrying(host, fact)) ?? (await returned(host, fact, exists));
    if (device !== undefined) back.push([fact, device]);
  }
  return back;
}

async function moveOut(from: Place, host: Place, fact: LentFact): Promise<void> {
  const device = await carrying(from, fact);
  if (device === undefined) return;
  const home = namespaceOf(host);
  const isNameFree = (await deviceByName(host, fact.lent.name)) === undefined;
  // Another link took the name meanwhile: then the kernel gives the device one.
  insist(await from.run([moveDevice(device, home, isNameFree ? fact.lent.name : "dev%d")]), [ERRNO.ENODEV]);
}

async function returned(
  host: Place,
  fact: LentFact,
  exists: (lent: LentDevice) => boolean,
): Promise<SeenDevice | undefined> {
  if (await isElsewhere(host, fact)) return undefined;
  for (const path of await namespacePaths([fstatSync(namespaceOf(host)).ino])) {
    using place = podPlace({ netns: path }, () => false);
    if (place === undefined) continue;
    await moveOut(place, host, fact);
    // Without an address on a bus only the name is left, which says nothing in a pod.
    if (fact.lent.pci !== undefined && (await isElsewhere(place, fact))) return undefined;
  }
  for (let waitedMs = 0; waitedMs < RETURN_MS; waitedMs += ASK_EVERY_MS) {
    const device = await carrying(host, fact);
    if (device !== undefined || !exists(fact.lent) || (await isElsewhere(host, fact))) return device;
    await sleep(ASK_EVERY_MS);
  }
  const { name, pci } = fact.lent;
  throw new SelvedgeError(
    { kind: "kernel", call: `link get ${name}`, errno: ERRNO.ENODEV },
    `${name}${pci === undefined ? "" : ` (${pci})`}: the device did not come back from ${fact.name} of the pod within ${RETURN_MS / 1000} s`,
    {
      hint: "Something holds the pod's namespace, or has taken the device: `selvedgectl plan` shows whether it is still missing.",
    },
  );
}

/** There and not ours any more: given back by an earlier try, or lent to another pod meanwhile. */
async function isElsewhere(place: Place, { alias, lent }: LentFact): Promise<boolean> {
  const device =
    lent.pci === undefined
      ? await deviceByName(place, lent.name)
      : devicesIn(place).find(({ pci }) => pci === lent.pci);
  return device !== undefined && device.alias !== alias;
}

/** As it was before it was lent; the alias goes last, so that what a crash leaves is done again. @throws SelvedgeError kernel */
export async function restore(host: Place, [{ lent }, device]: readonly [LentFact, SeenDevice]): Promise<void> {
  if (device.name !== lent.name)
    insist(await host.run([renameDevice(device, lent.name)]), [ERRNO.EEXIST, ERRNO.ENODEV]);
  // A virtual function's address may be its physical function's to set; the driver then refuses.
  if (lent.mac !== undefined && lent.mac !== device.mac) await host.run([setDeviceMac(device, lent.mac)]);
  const requests = device.mtu === lent.mtu ? [] : [setDeviceMtu(device, lent.mtu)];
  insist(await host.run([...requests, unmarkDevice(device, lent.alias ?? "", lent.up)]), [ERRNO.ENODEV]);
}
