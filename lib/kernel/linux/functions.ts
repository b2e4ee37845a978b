/** Virtual functions as their physical function's link tells of them and sets them. */

import type { VirtualFunctionFact, VirtualFunctionSettings } from "#lib/state/device-fact.ts";
import type { Op } from "#lib/state/diff.ts";
import { ERRNO, refused } from "#native/libc.ts";
import { insist } from "../netlink/socket.ts";
import { readDevice } from "../rtnl/device.ts";
import { getFunctions, readFunctions, setFunction } from "../rtnl/function.ts";
import type { Place } from "./place.ts";

interface PhysicalFunction {
  readonly index: number;
  readonly functions: ReadonlyMap<number, VirtualFunctionSettings>;
}

/** Undefined when there is no such link. */
export async function functionsOf(host: Place, link: string): Promise<PhysicalFunction | undefined> {
  const [reply] = await host.run([getFunctions(link)]);
  const message = reply?.messages[0];
  return message && { index: readDevice(message).index, functions: readFunctions(message) };
}

/** Of each fact's virtual function, if it is there, the settings that the fact names. */
export async function lookFunctions(
  host: Place,
  wanted: readonly VirtualFunctionFact[],
): Promise<VirtualFunctionFact[]> {
  const found: VirtualFunctionFact[] = [];
  for (const want of wanted) {
    const have = (await functionsOf(host, want.link))?.functions.get(want.vf);
    if (have !== undefined) found.push({ ...want, settings: namedBy(want.settings, have) });
  }
  return found;
}

/** In the order in which `want` names them, for comparison. */
const namedBy = (want: VirtualFunctionSettings, have: VirtualFunctionSettings): VirtualFunctionSettings =>
  Object.fromEntries(
    Object.keys(want).flatMap((name) => {
      const value = have[name as keyof VirtualFunctionSettings];
      return value === undefined ? [] : [[name, value]];
    }),
  );

/** @throws SelvedgeError kernel: the setting that the driver refuses, or a virtual function that does not exist */
export async function setFunctions(host: Place, ops: readonly Op[]): Promise<void> {
  for (const { do: verb, fact } of ops) {
    if (fact.type !== "vf" || verb === "remove") continue;
    const physical = await functionsOf(host, fact.link);
    const have = physical?.functions.get(fact.vf);
    if (physical === undefined || have === undefined)
      throw refused(
        `link set ${fact.link} vf ${fact.vf}`,
        ERRNO.ENODEV,
        physical === undefined ? "the node has no such link" : `it has ${physical.functions.size} virtual functions`,
      );
    // Some drivers tell the link's own address where none was given: it is given even if it is the same.
    const { mac: _, ...known } = have;
    const at = { link: fact.link, index: physical.index, vf: fact.vf };
    insist(await host.run(setFunction(at, fact.settings, verb === "add" ? known : have)));
  }
}

/** What a driver answers to an address of zeros where it takes none back. */
const NO_WAY_BACK = [ERRNO.EINVAL, ERRNO.EADDRNOTAVAIL, ERRNO.EPERM, ERRNO.EOPNOTSUPP];

/** Virtual functions that are left get the settings of before; those that are gone have none. @throws SelvedgeError kernel */
export async function restoreFunctions(host: Place, ops: readonly Op[]): Promise<void> {
  for (const { do: verb, fact } of ops) {
    if (fact.type !== "vf" || verb !== "remove" || fact.before === undefined) continue;
    const physical = await functionsOf(host, fact.link);
    const have = physical?.functions.get(fact.vf);
    if (physical === undefined || have === undefined) continue;
    const at = { link: fact.link, index: physical.index, vf: fact.vf };
    const { mac, ...rest } = namedBy(fact.settings, fact.before);
    if (mac !== undefined) insist(await host.run(setFunction(at, { mac }, have)), NO_WAY_BACK);
    insist(await host.run(setFunction(at, rest, have)));
  }
}
