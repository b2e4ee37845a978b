/** The configured pools of virtual functions: made when the daemon starts, and offered to kubelet while it runs. */

import type { SriovPool } from "#lib/config/sriov.ts";
import { isFailure, SelvedgeError } from "#lib/errors.ts";
import type { Offer } from "#lib/k8s/device-plugin/allocation.ts";
import { devicePlugin, type Plugin } from "#lib/k8s/device-plugin/plugin.ts";
import type { PhysicalFunction } from "#lib/kernel/devices.ts";
import type { Core } from "./core.ts";
import { holderOf, isFree, isOf } from "./device.ts";

/**
 * Makes as many virtual functions as the pools say. What cannot be had is logged and left as it is: the daemon serves
 * the other networks.
 */
export async function makeFunctions(core: Core): Promise<void> {
  const { pools } = core.config.sriov;
  if (pools.length === 0) return;
  for (const one of await core.kernel.devices.physicalFunctions())
    for (const pool of pools) if (isOf(pool, one)) await makeFunctionsOf(core, pool, one);
}

async function makeFunctionsOf(
  core: Core,
  { name, virtualFunctions }: SriovPool,
  one: PhysicalFunction,
): Promise<void> {
  if (virtualFunctions === undefined || virtualFunctions === one.virtual.length) return;
  const who = one.link ?? one.pci;
  try {
    if (virtualFunctions > one.maxVirtual)
      throw new SelvedgeError(
        { kind: "config-invalid", field: "virtualFunctions" },
        `${who} can have ${one.maxVirtual} virtual functions at most, not ${virtualFunctions}`,
      );
    const held = one.virtual.find(({ pci }) => holderOf(core.table, { pci }) !== undefined);
    if (held !== undefined)
      throw new SelvedgeError(
        { kind: "conflict", what: held.pci },
        `${who} keeps its ${one.virtual.length} virtual functions: a pod has ${held.pci}`,
      );
    await core.kernel.devices.setVirtualFunctions(one.pci, virtualFunctions);
  } catch (error) {
    if (!isFailure(error)) throw error;
    core.log({ event: "devices-refused", pool: name, message: error.message });
  }
}

export interface DevicePools extends AsyncDisposable {
  /** Tells kubelet what has changed. Reports its own failures. */
  refresh(): Promise<void>;
}

/** A device plugin for each pool; none where the configuration names no directory of kubelet's. */
export function devicePools(core: Core): DevicePools {
  const { pools, kubeletDir: directory, resourcePrefix } = core.config.sriov;
  const plugins: [pool: SriovPool, plugin: Plugin][] =
    directory === undefined
      ? []
      : pools.map((pool) => {
          const resource = `${resourcePrefix}/${pool.name}`;
          return [pool, devicePlugin({ directory, resource, offers: () => offersOf(core, pool) })];
        });
  const failing = new Set<string>();
  return {
    async refresh() {
      for (const [{ name }, plugin] of plugins) {
        try {
          await plugin.refresh();
          failing.delete(name);
        } catch (error) {
          if (!isFailure(error)) throw error;
          if (!failing.has(name)) core.log({ event: "devices-refused", pool: name, message: error.message });
          failing.add(name);
        }
      }
    },
    async [Symbol.asyncDispose]() {
      for (const [, plugin] of plugins) await plugin[Symbol.asyncDispose]();
    },
  };
}

/** Every virtual function of the pool: those that pods have are among them, since kubelet counts them itself. */
export async function offersOf(core: Core, pool: SriovPool): Promise<Offer[]> {
  const physical = (await core.kernel.devices.physicalFunctions()).filter((one) => isOf(pool, one));
  const offers: Offer[] = [];
  for (const { virtual, numaNode } of physical)
    for (const one of virtual)
      offers.push({
        id: one.pci,
        isHealthy: isFree(core, one) || holderOf(core.table, { pci: one.pci }) !== undefined,
        ...(numaNode === undefined ? {} : { numaNode }),
        nodes: one.nodes,
      });
  return offers;
}
