/** The planes of one attachment as one: what is wanted of each host, and one result that names every interface. */
import type { Dns, Result, ResultInterface, ResultIp, ResultRoute } from "#lib/cni/types.ts";
import { type PodDevices, totals } from "#lib/datapath/totals.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { PodQos } from "#lib/qos.ts";
import { type Fact, identity } from "#lib/state/fact.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import type { Decided } from "./decide.ts";
import type { Probe } from "./duplicates.ts";
import { NODE } from "./host.ts";

export interface Whole extends Pick<AttachmentRecord, "facts" | "tenantFacts"> {
  readonly result: Result;
  /** Interfaces whose addresses are to be looked for on the wire before they are used. */
  readonly probes: readonly Probe[];
}

/**
 * In the order of the planes: what two of them want is the earlier one's. `host` is the name of the plane's host; a total
 * holds together what passes one host.
 * @throws SelvedgeError config-invalid for a total that cannot be, unsupported-field where no plane's packets pass the node
 */
export function together(
  planes: readonly { readonly host: string; readonly decided: Decided }[],
  total?: { readonly podQos: PodQos; readonly devices: PodDevices },
): Whole {
  if (total !== undefined && planes.every(({ decided }) => decided.shaped === undefined)) throw inVain(total.podQos);
  const held = (ofHost: typeof planes): Fact[] =>
    total === undefined
      ? []
      : totals(
          ofHost.flatMap(({ decided }) => decided.shaped ?? []),
          total.podQos,
          total.devices,
        );
  const seen = new Set<string>();
  const onHost = Map.groupBy(planes, ({ host }) => host);
  const facts = new Map(
    [...onHost].map(([host, ofHost]) => [
      host,
      [...ofHost.flatMap(({ decided }) => decided.facts), ...held(ofHost)].filter((fact) =>
        isNew(seen, meaning(host, fact)),
      ),
    ]),
  );
  const { [NODE]: ofNode = [], ...tenantFacts } = Object.fromEntries(facts);
  const result = merged(planes.map(({ decided }) => decided.result));
  const probes = planes.flatMap(({ decided }) => decided.probe ?? []);
  return { facts: ofNode, ...(Object.keys(tenantFacts).length === 0 ? {} : { tenantFacts }), result, probes };
}

const inVain = (podQos: PodQos): SelvedgeError =>
  new SelvedgeError(
    { kind: "unsupported-field", field: "podQos" },
    `podQos: ${JSON.stringify(podQos)} is not supported: packets of none of the pod's interfaces pass the node, where they could be shaped`,
    { hint: 'Attach the pod with "ptp" or "bridge", where the node sees its packets.' },
  );

/**
 * Two planes may be on one bridge, and two planes may lead to the same destination: the pod's main table knows one way.
 * Replies are routed by the plane's own table.
 */
const meaning = (host: string, fact: Fact): string =>
  fact.type === "route" && fact.at === "pod" && fact.table === undefined
    ? `route ${fact.to} ${fact.metric ?? "-"}`
    : `${fact.at === "host" ? host : "pod"} ${identity(fact)}`;

function isNew(seen: Set<string>, what: string): boolean {
  if (seen.has(what)) return false;
  seen.add(what);
  return true;
}

/** An interface of the host that several planes use (a bridge) is named once. */
function merged(results: readonly Result[]): Result {
  const interfaces: ResultInterface[] = [];
  const ips: ResultIp[] = [];
  const routes: ResultRoute[] = [];
  const seen = new Set<string>();
  for (const result of results) {
    const places = result.interfaces.map((each) => {
      const known = interfaces.findIndex((other) => other.name === each.name && other.sandbox === each.sandbox);
      return known >= 0 ? known : interfaces.push(each) - 1;
    });
    for (const { interface: of, ...ip } of result.ips) {
      const place = of === undefined ? undefined : places[of];
      ips.push(place === undefined ? ip : { ...ip, interface: place });
    }
    for (const route of result.routes)
      if (route.table !== undefined || isNew(seen, `${route.dst} ${route.priority ?? "-"}`)) routes.push(route);
  }
  return { interfaces, ips, routes, dns: mergedDns(results.map(({ dns }) => dns)) };
}

/** A resolver asks the first server first: that of the first plane. */
function mergedDns(all: readonly Dns[]): Dns {
  const lists = (["nameservers", "search", "options"] as const).flatMap((key) => {
    const values = [...new Set(all.flatMap((dns) => dns[key] ?? []))];
    return values.length === 0 ? [] : [[key, values]];
  });
  const domain = all.find((dns) => dns.domain !== undefined)?.domain;
  return { ...(Object.fromEntries(lists) as Dns), ...(domain === undefined ? {} : { domain }) };
}
