/**
 * The device that an attachment asks for, found before anything is decided. Nothing has been made when this refuses; what
 * is chosen is marked in the table at once, so that no other ADD chooses it too.
 */
import type { Plan } from "#lib/attach/kinds.ts";
import { lentAlias } from "#lib/attach/names.ts";
import type { SriovPool } from "#lib/config/sriov.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { PhysicalFunction, VirtualFunction } from "#lib/kernel/devices.ts";
import { type Device, type DeviceWish, isLentAlias, isUserspaceDriver } from "#lib/state/device.ts";
import { type Fact, identity } from "#lib/state/fact.ts";
import type { AttachmentKey, AttachmentRecord } from "#lib/store/store.ts";
import type { Core } from "./core.ts";
import type { GivenOf } from "./kubernetes/given.ts";
import { allFacts } from "./parts.ts";

export interface Asking {
  readonly key: AttachmentKey;
  readonly record: AttachmentRecord;
  readonly deviceId: string | undefined;
  readonly tenant: string | undefined;
  readonly given: GivenOf;
  /** Addresses of the devices that are asked for by name for any interface of the attachment. */
  readonly named: readonly string[];
}

/**
 * Undefined for types that take none. `key`: the interface that it is to be; `record`: the attachment that this is for.
 * @throws SelvedgeError config-invalid: there is no such device, with those that there are; conflict: it is in use, with
 *   whom it serves; kernel
 */
export async function lookUpDevice(
  core: Core,
  plan: Plan,
  { key, record, deviceId, tenant, given, named }: Asking,
): Promise<Device | undefined> {
  const asked = plan.device(deviceId);
  if (asked === undefined) return undefined;
  if (tenant !== undefined)
    throw new SelvedgeError(
      { kind: "config-invalid", field: "tenant" },
      `tenant: a network of attachment ${JSON.stringify(plan.type)} cannot be ${JSON.stringify(tenant)}'s: packets of a device do not pass its router`,
      { hint: "Keep tenants apart by the VLAN of a virtual function, in networks without a tenant." },
    );
  const { own, others } =
    "pool" in asked.which ? await given(asked.which.pool) : { own: [], others: new Set<string>() };
  const held = core.table.ofContainer(record.containerId);
  const pci = own.find((each) => !named.includes(each) && holderOf(held, { pci: each }) === undefined);
  const wish: DeviceWish = pci === undefined ? asked : { ...asked, which: { pci } };
  let device = await found(core, wish, others);
  // Another ADD may have chosen the same one meanwhile: then there is another, or none.
  while (device !== undefined && isAny(wish) && holderOf(core.table, { pci: device.pci }) !== undefined)
    device = await found(core, wish, others);
  if (device === undefined) {
    refuseLent(core, wish);
    throw await notThere(core, wish);
  }
  // From here to the claim nothing is waited for.
  refuseHeld(core, wish, device);
  const current = core.table.get(record) ?? record;
  core.table.put({ ...current, facts: [...current.facts, ...claim(key, device)] });
  await refuseUnfit(core, wish, device);
  return device;
}

/** Whether one of several will do. */
const isAny = ({ which }: DeviceWish): boolean => "pool" in which || ("physical" in which && which.index === undefined);

async function found(core: Core, wish: DeviceWish, others: ReadonlySet<string>): Promise<Device | undefined> {
  const { which } = wish;
  if (!("pool" in which || "physical" in which)) return core.kernel.devices.find(which);
  const chosen = await chosenOf(core, wish, others);
  return chosen && core.kernel.devices.find({ pci: chosen.pci });
}

/** What marks a device as taken while the rest is decided; never performed as it is. */
function claim(key: AttachmentKey, { link, pci, driver }: Device): Fact[] {
  if (link !== undefined)
    return [{ type: "link", at: "pod", name: key.ifname, kind: "device", up: true, alias: lentAlias(key), lent: link }];
  return pci === undefined || driver === undefined ? [] : [{ type: "driver", at: "host", pci, driver, before: driver }];
}

/** `bare` with what has been claimed for it so far: for the table, where other ADDs look for holders. */
export function withClaims({ table }: Pick<Core, "table">, bare: AttachmentRecord): AttachmentRecord {
  const known = new Set(bare.facts.map(identity));
  const claims = table.get(bare)?.facts.filter((fact) => !known.has(identity(fact))) ?? [];
  return { ...bare, facts: [...bare.facts, ...claims] };
}

/** The attachment that has the device or is about to, this one among them: two planes of a pod take two functions. */
export function holderOf(
  table: Iterable<AttachmentRecord>,
  { pci, link }: { pci?: string | undefined; link?: string | undefined },
): AttachmentRecord | undefined {
  const isIt = (fact: Fact): boolean => {
    if (fact.type === "driver") return fact.pci === pci;
    if (fact.type !== "link" || fact.lent === undefined) return false;
    // The link of a virtio card knows no PCI address.
    return fact.lent.pci === undefined ? fact.lent.name === link : fact.lent.pci === pci;
  };
  for (const record of table) if (allFacts(record).some(isIt)) return record;
  return undefined;
}

/**
 * A free virtual function of a physical one or of a pool, or the one with the index that was asked for.
 * @param others what other pods were given: one of them may be about to come for it
 */
async function chosenOf(
  core: Core,
  wish: DeviceWish,
  others: ReadonlySet<string>,
): Promise<VirtualFunction | undefined> {
  const { which } = wish;
  const all = await core.kernel.devices.physicalFunctions();
  const pool = "pool" in which ? core.config.sriov.pools.find(({ name }) => name === which.pool) : undefined;
  if ("pool" in which && pool === undefined) return undefined;
  const among = all.filter((one) =>
    pool === undefined ? "physical" in which && one.link === which.physical : isOf(pool, one),
  );
  if (among.length === 0) return undefined;
  const virtual = among.flatMap((one) => one.virtual);
  const index = "physical" in which ? which.index : undefined;
  const free = index === undefined ? virtual.filter((one) => isFree(core, one)) : [];
  const chosen =
    index === undefined
      ? (free.find(({ pci }) => !others.has(pci)) ?? free[0])
      : virtual.find((one) => one.index === index);
  if (chosen !== undefined || index !== undefined) return chosen;
  throw new SelvedgeError(
    { kind: "conflict", what: among.map(({ pci }) => pci).join(", ") },
    `${wish.field}: none of the ${virtual.length} virtual functions of ${among.map(({ link, pci }) => link ?? pci).join(", ")} is free`,
    { hint: "Stop a pod that has one, or configure more: sriov.pools[].virtualFunctions." },
  );
}

export const isOf = ({ physical, vendor, product, driver }: SriovPool, one: PhysicalFunction): boolean =>
  (physical.length === 0 || physical.some((name) => name === one.link || name === one.pci)) &&
  (vendor === undefined || vendor === one.vendor) &&
  (product === undefined || product === one.product) &&
  (driver === undefined || driver === one.driver);

export const isFree = (core: Pick<Core, "table">, one: VirtualFunction): boolean =>
  !one.isUsed &&
  !isLentAlias(one.alias) &&
  (one.link !== undefined || isUserspaceDriver(one.driver)) &&
  holderOf(core.table, { pci: one.pci }) === undefined;

function refuseHeld(core: Core, { field }: DeviceWish, { link, pci }: Device): void {
  const name = link?.name ?? pci ?? "";
  const holder = holderOf(core.table, { pci, link: link?.name });
  if (holder === undefined) return;
  throw new SelvedgeError(
    { kind: "conflict", what: name },
    `${field}: ${name} is lent to container ${holder.containerId}${holder.pod === undefined ? "" : ` (${holder.pod})`}, interface ${holder.ifname}`,
    { hint: "It is free when that pod is gone." },
  );
}

/** What a pod has is not on the node to be found: then its attachment says what it was called there. */
function refuseLent(core: Core, wish: DeviceWish): void {
  const { which } = wish;
  for (const record of core.table)
    for (const fact of allFacts(record)) {
      const lent = fact.type === "link" ? fact.lent : undefined;
      if (lent === undefined) continue;
      if (("name" in which && lent.name === which.name) || ("mac" in which && lent.mac === which.mac))
        refuseHeld(core, wish, {
          link: lent,
          rdma: [],
          nodes: [],
          ...(lent.pci === undefined ? {} : { pci: lent.pci }),
        });
    }
}

async function refuseUnfit(core: Core, { field, virtual, driver }: DeviceWish, device: Device): Promise<void> {
  const { link, pci } = device;
  const name = link?.name ?? pci ?? "";
  if (virtual && device.virtual === undefined)
    throw new SelvedgeError(
      { kind: "config-invalid", field },
      `${field}: ${name} is no virtual function of a card whose link is on the node`,
      { hint: 'The attachment type "host-device" takes any device.' },
    );
  if (link === undefined && !isUserspaceDriver(device.driver) && driver === undefined) {
    const where = pci === undefined ? undefined : await core.kernel.devices.whereIs({ pci });
    throw new SelvedgeError(
      { kind: "conflict", what: name },
      `${field}: ${name} is not on the node: ${where === undefined ? `its driver (${device.driver ?? "none"}) shows no link` : `the namespace ${where} has it`}`,
    );
  }
  if (link !== undefined && link.name === core.node.uplink)
    throw new SelvedgeError(
      { kind: "config-invalid", field },
      `${field}: ${link.name} is the link of the node's default route: without it the node would be off the network`,
    );
}

/** With what could have been meant. */
async function notThere(core: Core, { field, which, virtual }: DeviceWish): Promise<SelvedgeError> {
  const physical = await core.kernel.devices.physicalFunctions();
  const asked = Object.values(which)[0];
  const alternatives =
    "pool" in which
      ? ["pool", core.config.sriov.pools.map(({ name }) => name)]
      : virtual
        ? [
            "virtual function",
            physical.flatMap((one) =>
              one.virtual.map(({ index, pci }) => `${one.link ?? one.pci} vf ${index} (${pci})`),
            ),
          ]
        : ["device", (await core.kernel.facts()).links];
  const [what, there] = alternatives as [string, readonly string[]];
  const index = "index" in which ? ` vf ${which.index}` : "";
  return new SelvedgeError(
    { kind: "config-invalid", field },
    `${field}: ${JSON.stringify(asked)}${index} is not a ${what} of the node; there ${there.length === 1 ? "is" : "are"} ${there.join(", ") || "none"}`,
  );
}
