/** What an attachment of our own becomes: addresses for every plane, from our own IPAM or from another plugin's. */
import type { PodRoute } from "#lib/attach/kind.ts";
import { linkAlias, totalNames } from "#lib/attach/names.ts";
import type { Result, ResultRoute } from "#lib/cni/types.ts";
import { overheadOf } from "#lib/datapath/overlay.ts";
import type { Delegation } from "#lib/delegate/delegate.ts";
import type { AttachmentRecord, Change } from "#lib/store/store.ts";
import { acquire } from "./acquire.ts";
import { type Core, hostOf } from "./core.ts";
import { type Decided, decide, type Given, type Where } from "./decide.ts";
import { delegationOfRecord } from "./delegated.ts";
import { type Asking, lookUpDevice } from "./device.ts";
import { NODE } from "./host.ts";
import { placedOn } from "./in-tenant.ts";
import { givenOf } from "./kubernetes/given.ts";
import { naming } from "./kubernetes/naming.ts";
import { makeWay } from "./make-way.ts";
import { lookUpParent } from "./parent.ts";
import { pathMtus } from "./path-mtu.ts";
import type { Plane } from "./planes.ts";
import type { Settings } from "./settings.ts";
import { together, type Whole } from "./together.ts";
import type { Recording } from "./trace.ts";
import { wantRouter } from "./want-router.ts";

export interface OwnDecision {
  readonly whole: Whole;
  /** To be committed together with the attachment. */
  readonly changes: readonly Change[];
}

/**
 * `prepare` stores and builds what must stand before another IPAM plugin is asked.
 * @throws SelvedgeError pool-exhausted, address-unavailable, config-invalid, unsupported-field, conflict, delegate, store, kernel
 */
export async function decideOwn(
  core: Core,
  intent: AttachmentRecord,
  planes: readonly Plane[],
  { trace, prepare }: { trace: Recording; prepare: (bare: AttachmentRecord) => Promise<void> },
): Promise<OwnDecision> {
  const found = new Map<Plane, Pick<Where, "carrier" | "device">>();
  const asking: Pick<Asking, "given" | "named"> = {
    given: givenOf(core.config.sriov, intent.pod),
    named: planes.flatMap(({ conf }) => conf.wishes.deviceId ?? []),
  };
  for (const plane of planes) found.set(plane, await lookUp(core, intent, plane, asking));
  const podQos = planes[0]?.settings.podQos;
  const mtus = pathMtus(core);
  const common: Omit<Where, "pathMtu" | "mtuFrom"> = {
    netns: intent.netns,
    ownNamespace: intent.netnsInode === core.ownNetnsInode,
    held: podQos !== undefined,
    rank: core.table.ofContainer(intent.containerId).filter(({ ifname }) => ifname !== intent.ifname).length,
  };
  const whereOf = (plane: Plane): Where => {
    const of = plane.settings.stretched === undefined ? "path" : "segment";
    const lessBytes = overheadOf(plane.settings.encapsulation);
    return { ...common, pathMtu: mtus[of] - lessBytes, mtuFrom: { of, lessBytes }, ...found.get(plane) };
  };
  // Only the attachment's own interface can have addresses from elsewhere: the others have no configuration to say so.
  const delegation = delegationOfRecord(intent, "ADD");
  // DHCP needs the link to ask by; other plugins need nothing.
  const bare = ({ plugin }: Delegation, plane: Plane): AttachmentRecord => {
    const decided = () => decide(plane, withoutAddresses(plane).given, whereOf(plane));
    const { facts, tenantFacts } = together(plugin === "dhcp" ? placedOn(core, plane, decided()) : []);
    return { ...intent, facts, ...(tenantFacts === undefined ? {} : { tenantFacts }) };
  };
  for (const plane of delegation === undefined ? planes : planes.slice(1)) await makeWay(core, plane);
  const leased: (Leased & { readonly plane: Plane })[] = [];
  for (const [i, plane] of planes.entries()) {
    const without = i === 0 && delegation !== undefined;
    leased.push({ plane, ...(without ? withoutAddresses(plane) : await lease(core, intent, plane)) });
  }
  const [first] = planes;
  const asked = delegation && first && (await ask(core, delegation, first, () => prepare(bare(delegation, first))));
  trace.ended(asked === undefined ? "leased" : "delegated");
  const decided = leased.flatMap(({ plane, given }, i) =>
    placedOn(core, plane, decideNamed(plane, i === 0 && asked !== undefined ? asked : given, whereOf(plane))),
  );
  const devices = { ...totalNames(intent), alias: linkAlias(intent) };
  const whole = together(decided, podQos && { podQos, devices });
  return { whole, changes: leased.flatMap(({ changes }) => changes) };
}

function decideNamed(plane: Plane, given: Given, where: Where): Decided {
  try {
    return decide(plane, given, where);
  } catch (error) {
    throw naming(plane.definition, error);
  }
}

/** What of the node the attachment's type asks for. */
async function lookUp(
  core: Core,
  intent: AttachmentRecord,
  plane: Plane,
  asking: Pick<Asking, "given" | "named">,
): Promise<Pick<Where, "carrier" | "device">> {
  const { key, conf, settings } = plane;
  const { plan, tenant } = settings;
  const { deviceId } = conf.wishes;
  if (tenant !== undefined) await wantRouter(core, tenant);
  const carrier = await lookUpParent(hostOf(core, tenant ?? NODE).kernel, plan, intent);
  const device = await lookUpDevice(core, plan, { ...asking, key, record: intent, deviceId, tenant });
  return { ...(carrier === undefined ? {} : { carrier }), ...(device === undefined ? {} : { device }) };
}

interface Leased {
  readonly given: Given;
  readonly changes: readonly Change[];
}

async function lease(core: Core, intent: AttachmentRecord, plane: Plane): Promise<Leased> {
  const { settings, conf, key } = plane;
  if (settings.plan.addressless) return withoutAddresses(plane);
  try {
    const { given, changes } = await acquire(core, { ...intent, ...key }, conf, settings);
    return { given: { ...given, dns: settings.dns }, changes };
  } catch (error) {
    throw naming(plane.definition, error);
  }
}

const withoutAddresses = ({ settings }: Plane): Leased => ({
  given: { addresses: [], dns: settings.dns },
  changes: [],
});

/** The other plugin remembers what it gives: ours must be on disk first, so that a crash still sends it a DEL. */
async function ask(
  core: Core,
  delegation: Delegation,
  { settings }: Plane,
  prepare: () => Promise<void>,
): Promise<Given> {
  await prepare();
  return givenBy(await core.delegate(delegation), settings);
}

const givenBy = (answer: Result | undefined, { dns }: Settings): Given => ({
  addresses: (answer?.ips ?? []).map(({ address, gateway }) => ({
    address,
    ...(gateway === undefined ? {} : { gateway }),
  })),
  routes: (answer?.routes ?? []).map(podRouteOf),
  dns: { ...answer?.dns, ...dns },
});

const podRouteOf = ({ dst, gw, priority, ...rest }: ResultRoute): PodRoute => ({
  to: dst,
  ...(gw === undefined ? {} : { via: gw }),
  ...rest,
  ...(priority === undefined ? {} : { metric: priority }),
});
