/**
 * The planes of an attachment: the network that it was asked for, by its own interface, and whichever others the pod is
 * on. All of them come and go together.
 */

import type { Address } from "#lib/address.ts";
import { MOST_INTERFACES, slotOf } from "#lib/attach/plane-routing.ts";
import { readAnnotations } from "#lib/cni/annotations.ts";
import type { AskedPlane } from "#lib/cni/planes.ts";
import type { NetConf } from "#lib/cni/types.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { linkName, root } from "#lib/parse.ts";
import type { AttachmentKey, AttachmentRecord } from "#lib/store/store.ts";
import { askedPlanes, withItself } from "./asked-planes.ts";
import type { Core } from "./core.ts";
import { type Leaving, leavingOf } from "./egress-rule.ts";
import type { SelectedPlane } from "./kubernetes/selected.ts";
import { allFacts } from "./parts.ts";
import { type Settings, settingsOf } from "./settings.ts";
import { keyOf } from "./table.ts";

/** One interface of an attachment, before it has addresses. */
export interface Plane {
  /** Its interface; addresses are leased to it. */
  readonly key: AttachmentKey;
  readonly conf: NetConf;
  readonly settings: Settings;
  /** Which of the pod's routing tables is its own. Absent: none. */
  readonly slot?: number;
  /** Whether the pod's default route leads there. Absent: as its network has it. */
  readonly defaultRoute?: boolean;
  /** By which gateways it does; of a family without one, by its network's. */
  readonly gateways?: readonly Address[];
  /** By what it leaves the cluster. Absent: as everybody does. */
  readonly leaving?: Leaving;
  /** `namespace/name` of the NetworkAttachmentDefinition that it came of. */
  readonly definition?: string;
}

/**
 * The first is the attachment's own.
 * @throws SelvedgeError config-invalid: an unknown network, a plane or an interface named twice; interface-exists
 */
export function planesOf(
  core: Pick<Core, "config" | "table">,
  key: AttachmentKey,
  given: NetConf,
  selected: readonly SelectedPlane[] = [],
): Plane[] {
  const earlier = core.table.ofContainer(key.containerId).filter((record) => keyOf(record) !== keyOf(key));
  const conf = withItself(given);
  const asked = askedPlanes(core.config, conf, earlier.length === 0);
  const itself = asked.find(({ network }) => network === conf.network);
  const others = asked.filter((plane) => plane !== itself);
  refuseRepeats(others, conf);
  refuseRepeatedLinks([...others.map(linkOf), ...selected.map((each) => ({ ...each, owner: each.definition }))], key);
  const several = others.length + selected.length > 0;
  const leading =
    selected.find(({ defaultRoute }) => defaultRoute !== undefined) ??
    asked.find(({ defaultRoute }) => defaultRoute === true);
  const leads = (plane: AskedPlane | SelectedPlane | undefined): { defaultRoute?: boolean } => {
    if (leading === undefined) return several && plane !== itself ? { defaultRoute: false } : {};
    return { defaultRoute: plane === leading };
  };
  const planes: Plane[] = [
    { key, conf: asAsked(conf, itself), settings: settingsOf(core.config, conf), ...leads(itself) },
    ...others.map((plane): Plane => {
      const ofPlane = confOf(conf, plane);
      const settings = settingsOf(core.config, ofPlane);
      const ipMasq = core.config.networks.get(plane.network)?.ipMasqAsPlane ?? false;
      return {
        key: { containerId: key.containerId, ifname: interfaceOf(plane) },
        conf: ofPlane,
        settings: { ...settings, ipMasq },
        ...leads(plane),
      };
    }),
    ...selected.map((plane): Plane => {
      const { conf, settings, definition, defaultRoute: gateways = [] } = plane;
      const own = { containerId: key.containerId, ifname: plane.ifname };
      return { key: own, conf, settings, definition, gateways, ...leads(plane) };
    }),
  ];
  for (const plane of planes) refuseTaken(core, key, plane);
  const free = freeSlots(earlier);
  return planes.map((plane) => {
    const leaving = plane.settings.tenant === undefined ? leavingOf(core.config, plane.conf) : undefined;
    return {
      ...plane,
      ...(leaving === undefined ? {} : { leaving }),
      ...((plane.settings.policyRouting ?? several) ? { slot: nextOf(free, plane) } : {}),
    };
  });
}

/** What is asked of the network itself in a list of planes. Its interface is CNI_IFNAME, whatever the list says. */
const asAsked = (conf: NetConf, itself: AskedPlane | undefined): NetConf =>
  itself === undefined
    ? conf
    : {
        ...conf,
        wishes: {
          ...conf.wishes,
          ...(itself.ips.length > 0 && conf.wishes.ips.length === 0 ? { ips: itself.ips } : {}),
          ...(itself.mac !== undefined && conf.wishes.mac === undefined ? { mac: itself.mac } : {}),
        },
      };

/** Host ports, rates and ranges that come with a request are meant for its own interface. */
function confOf(conf: NetConf, plane: AskedPlane): NetConf {
  const { cniVersion, name, pod, wishes } = conf;
  const { podAnnotations, podLabels, aliases } = wishes;
  const { ips, ...annotated } = readAnnotations(podAnnotations, interfaceOf(plane));
  return {
    cniVersion,
    name,
    network: plane.network,
    further: true,
    dns: {},
    ...(pod === undefined ? {} : { pod }),
    wishes: {
      portMappings: [],
      aliases,
      podAnnotations,
      podLabels,
      ...(wishes.reservation === undefined ? {} : { reservation: wishes.reservation }),
      ...annotated,
      ips: plane.ips.length > 0 ? plane.ips : (ips ?? []),
      ...(plane.mac === undefined ? {} : { mac: plane.mac }),
    },
    raw: root({}),
  };
}

const interfaceOf = ({ interface: given, network, path }: AskedPlane): string =>
  given ?? linkName({ path, value: network });

function refuseRepeats(others: readonly AskedPlane[], conf: NetConf): void {
  const networks = new Set([conf.network]);
  for (const { network, path } of others) {
    if (networks.has(network)) throw wrong(path, `${path}: the plane ${JSON.stringify(network)} is named twice`);
    networks.add(network);
  }
}

interface NamedLink {
  readonly ifname: string;
  /** Whose it is, and where that was asked for. */
  readonly owner: string;
  readonly path: string;
}

const linkOf = (plane: AskedPlane): NamedLink => ({
  ifname: interfaceOf(plane),
  owner: `the plane ${plane.network}`,
  path: plane.path,
});

function refuseRepeatedLinks(links: readonly NamedLink[], key: AttachmentKey): void {
  const owners = new Map([
    ["lo", "every pod"],
    [key.ifname, "CNI_IFNAME"],
  ]);
  for (const { ifname, owner, path } of links) {
    const holder = owners.get(ifname);
    if (holder !== undefined)
      throw wrong(path, `${path}: the interface ${JSON.stringify(ifname)} is that of ${holder} already`);
    owners.set(ifname, owner);
  }
}

/** Another attachment of the container may have a plane with an interface of that name. */
function refuseTaken({ table }: Pick<Core, "table">, own: AttachmentKey, { key }: Plane): void {
  const holder = table.ofInterface(key);
  if (holder === undefined || keyOf(holder) === keyOf(own)) return;
  throw new SelvedgeError(
    { kind: "interface-exists", name: key.ifname },
    `the interface ${key.ifname} of container ${key.containerId} belongs to its attachment ${holder.ifname} to network ${holder.network}`,
    { hint: "Give the plane another interface." },
  );
}

function* freeSlots(earlier: readonly AttachmentRecord[]): Generator<number, undefined> {
  const taken = new Set(earlier.flatMap((record) => allFacts(record).flatMap((fact) => slotOf(fact) ?? [])));
  for (let slot = 0; slot < MOST_INTERFACES; slot++) if (!taken.has(slot)) yield slot;
}

function nextOf(free: Generator<number, undefined>, { key }: Plane): number {
  const slot = free.next().value;
  if (slot !== undefined) return slot;
  throw wrong("planes", `planes: container ${key.containerId} has ${MOST_INTERFACES} interfaces already`);
}

const wrong = (field: string, message: string): SelvedgeError =>
  new SelvedgeError({ kind: "config-invalid", field }, message);
