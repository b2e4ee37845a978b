/**
 * An interface on a tenant's network: all of it is on the tenant's router and in the pod, and the node gets an address
 * that leads to it, by which it is probed and by which host ports lead to it.
 */
import { type Address, addressOf, hostPrefix } from "#lib/address.ts";
import type { Result } from "#lib/cni/types.ts";
import { type Probe, probeAddress, probeElements, probeFactsOfNode, refuseRouted } from "#lib/datapath/probe.ts";
import type { Fact } from "#lib/state/fact.ts";
import { isHostPort } from "./contested.ts";
import type { Core } from "./core.ts";
import type { Decided } from "./decide.ts";
import { NODE } from "./host.ts";
import type { Plane } from "./planes.ts";
import { transferOf } from "./tenancy.ts";

export interface Placed {
  /** Name of the host. */
  readonly host: string;
  readonly decided: Decided;
}

/** What one interface wants of each host. @throws SelvedgeError config-invalid, pool-exhausted: no address for probes */
export function placedOn(core: Core, plane: Plane, decided: Decided): Placed[] {
  const { tenant, reportProbeAddress } = plane.settings;
  if (tenant === undefined) return [{ host: NODE, decided }];
  const { probeRanges, transferRanges } = core.config.routers;
  refuseRouted("routers.probeRanges", probeRanges, core.node.routes);
  refuseRouted("routers.transferRanges", transferRanges, core.node.routes);
  const probes = probesOf(core, plane, decided.facts);
  const { ports = [], others = [] } = Object.groupBy(decided.facts, (fact) => (isHostPort(fact) ? "ports" : "others"));
  const transfer = transferOf(core, tenant);
  const onNode = [...probeFactsOfNode({ tenant, transfer, probes }), ...ports.map((port) => leadingTo(port, probes))];
  const result = reportProbeAddress ? reporting(decided.result, probes) : decided.result;
  return [
    { host: tenant, decided: { ...decided, facts: [...others, ...probeElements(probes)], result } },
    { host: NODE, decided: { facts: onNode, result: { interfaces: [], ips: [], routes: [], dns: {} } } },
  ];
}

function probesOf(core: Core, { key }: Plane, facts: readonly Fact[]): Probe[] {
  const probes: Probe[] = [];
  const isTaken = (address: Address): boolean => probes.some(({ probe }) => probe === address) || isHeld(core, address);
  for (const fact of facts) {
    if (fact.type !== "address" || fact.at !== "pod") continue;
    const pod = addressOf(fact.address);
    probes.push({ pod, probe: probeAddress(key, pod, { ranges: core.config.routers.probeRanges, isTaken }) });
  }
  return probes;
}

/** Each router knows its own pods; the addresses are the node's, so all routers count. */
const isHeld = ({ hosts, table }: Core, probe: Address): boolean =>
  [...hosts.keys()].some((host) =>
    probeElements([{ pod: probe, probe }]).some((element) => table.holder(host, element) !== undefined),
  );

/** A host port leads to the pod by the address that the node knows. */
function leadingTo(fact: Fact, probes: readonly Probe[]): Fact {
  if (fact.type !== "element" || fact.value === undefined) return fact;
  const [to, ...port] = fact.value;
  const probe = probes.find(({ pod }) => pod === to)?.probe;
  return probe === undefined ? fact : { ...fact, value: [probe, ...port] };
}

/** Probers take the first address of a family for the pod's. */
const reporting = (result: Result, probes: readonly Probe[]): Result => ({
  ...result,
  ips: [
    ...result.ips.flatMap(({ address, interface: of }) => {
      const probe = probes.find(({ pod }) => pod === addressOf(address))?.probe;
      return probe === undefined
        ? []
        : [{ address: hostPrefix(probe), ...(of === undefined ? {} : { interface: of }) }];
    }),
    ...result.ips,
  ],
});
