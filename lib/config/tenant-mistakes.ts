/** What is wrong between tenants, their networks and the ranges that their routers use. */
import { type Address, address, contains, family, type Prefix } from "#lib/address.ts";
import { readable } from "#lib/parse.ts";
import { type Complaint, complaint, lookUp, unknownName } from "./complaint.ts";
import { firstOverlap, listAt, poolTenants, prefixesOf, subnetsOf } from "./overlaps.ts";
import { ROUTER_DEFAULTS } from "./tenant-schema.ts";
import type { Path } from "./yaml.ts";

/** Types whose packets pass a host; the others lead past every router. */
const ROUTED: readonly unknown[] = ["ptp", "bridge", "tap"];

export function tenantMistakes(root: unknown, tenants: ReadonlySet<string>): Complaint[] {
  const networksOf = tenantNetworks(root);
  return [
    ...listAt(root, "networks").flatMap((network, i) => networkMistakes(root, network, { i, tenants })),
    ...listAt(root, "tenants").flatMap((tenant, i) => [
      ...peerMistakes(root, tenant, { i, tenants, networksOf }),
      ...serviceMistakes(tenant, i, networksOf(lookUp(tenant, ["name"]))),
    ]),
    ...(tenants.size === 0 ? [] : rangeMistakes(root)),
  ];
}

interface At {
  readonly i: number;
  readonly tenants: ReadonlySet<string>;
}

function networkMistakes(root: unknown, network: unknown, { i, tenants }: At): Complaint[] {
  const at = (key: string): Path => ["networks", i, key];
  const tenant = lookUp(network, ["tenant"]);
  const type = lookUp(network, ["attachment"]) ?? lookUp(root, ["defaults", "attachment"]) ?? "ptp";
  if (tenant === undefined)
    return (["reportProbeAddress", "encapsulation"] as const)
      .filter((key) => lookUp(network, [key]) !== undefined && lookUp(network, [key]) !== false)
      .map((key) => complaint(at(key), "is possible on a tenant's network only; give it a `tenant`"));
  return [
    ...(typeof tenant === "string" && !tenants.has(tenant)
      ? [unknownName(at("tenant"), "tenant", tenant, tenants)]
      : []),
    ...(ROUTED.includes(type)
      ? []
      : [
          complaint(
            at("tenant"),
            `${JSON.stringify(tenant)} is not possible with attachment ${JSON.stringify(type)}, whose packets pass no router; types that have it: ${ROUTED.join(", ")}`,
          ),
        ]),
  ];
}

function peerMistakes(
  root: unknown,
  tenant: unknown,
  { i, tenants, networksOf }: At & { readonly networksOf: ReturnType<typeof tenantNetworks> },
): Complaint[] {
  const own = lookUp(tenant, ["name"]);
  const peers = listAt(tenant, "peers");
  return peers.flatMap((peer, j) => {
    const path = ["tenants", i, "peers", j];
    if (typeof peer !== "string") return [];
    if (!tenants.has(peer)) return [{ ...unknownName(path, "tenant", peer, tenants), mayCome: true }];
    if (peer === own) return [complaint(path, `"${peer}" is the tenant itself`)];
    if (peers.indexOf(peer) < j) return [complaint(path, `"${peer}" is named twice`)];
    const other = listAt(root, "tenants").find((each) => lookUp(each, ["name"]) === peer);
    if (!listAt(other, "peers").includes(own)) return [];
    const pair = firstOverlap(networksOf(own), networksOf(peer));
    if (pair === undefined) return [];
    const text = `${pair[0]} of "${String(own)}" overlaps ${pair[1]} of "${peer}": tenants with the same addresses cannot reach each other; use other addresses, or share a service`;
    return [ofSeveral(path, text)];
  });
}

/** Subnets of the pools of a tenant's networks. */
function tenantNetworks(root: unknown): (tenant: unknown) => readonly Prefix[] {
  const tenantsOf = poolTenants(root);
  const found = new Map<string, Prefix[]>();
  for (const pool of listAt(root, "pools")) {
    const subnets = subnetsOf(lookUp(pool, ["ranges"]));
    for (const tenant of tenantsOf(lookUp(pool, ["name"]))) {
      const all = found.get(tenant) ?? [];
      all.push(...subnets);
      found.set(tenant, all);
    }
  }
  return (tenant) => found.get(String(tenant)) ?? [];
}

function serviceMistakes(tenant: unknown, i: number, networks: readonly Prefix[]): Complaint[] {
  const seen = new Set<string>();
  return listAt(tenant, "services").flatMap((service, j) => {
    const own = addressIn(lookUp(service, ["address"]));
    if (own === undefined) return [];
    const path = ["tenants", i, "services", j, "address"];
    const port = `${lookUp(service, ["protocol"]) ?? "tcp"} port ${String(lookUp(service, ["port"]))}`;
    const key = `${own} ${port}`;
    const twice = seen.has(key);
    seen.add(key);
    const inside = networks.find((network) => contains(network, own));
    const insideText = `${own} lies in ${inside}, a pool of the tenant's own; use an address outside of its pools`;
    const to = lookUp(service, ["to"]);
    const six = typeof to === "string" && to.startsWith("[");
    return [
      ...(twice ? [complaint(path, `${own}, ${port}, leads to another service already`)] : []),
      ...(inside === undefined ? [] : [ofSeveral(path, insideText)]),
      ...(typeof to !== "string" || six === (family(own) === 6)
        ? []
        : [complaint(path, `${own} and ${to} are of different families`)]),
    ];
  });
}

/** Each of the routers' ranges must be the node's alone. */
function rangeMistakes(root: unknown): Complaint[] {
  const ranges = (["transferRanges", "probeRanges"] as const).map((key) => {
    const given = lookUp(root, ["routers", key]) ?? ROUTER_DEFAULTS[key];
    return { path: ["routers", key] as const, prefixes: prefixesIn(given) };
  });
  const pools = listAt(root, "pools").map((pool) => ({
    what: `pool "${String(lookUp(pool, ["name"]))}"`,
    prefixes: subnetsOf(lookUp(pool, ["ranges"])),
  }));
  return ranges.flatMap(({ path, prefixes }, i) => {
    const others = [...pools, ...ranges.slice(0, i).map((r) => ({ what: r.path.join("."), prefixes: r.prefixes }))];
    const twice = ([4, 6] as const).find((f) => prefixes.filter((p) => family(p) === f).length > 1);
    return [
      ...(twice === undefined ? [] : [complaint(path, `has two IPv${twice} ranges; give one of each family`)]),
      ...others.flatMap(({ what, prefixes: theirs }) => {
        const pair = firstOverlap(prefixes, theirs);
        return pair === undefined ? [] : [ofSeveral(path, `${pair[0]} overlaps ${pair[1]} of ${what}`)];
      }),
    ];
  });
}

/** Tenants, their networks and pools: none of them is wrong by itself. */
const ofSeveral = (path: Path, text: string): Complaint => ({ ...complaint(path, text), isOfSeveral: true });

/** What cannot be read is another one's complaint. */
const addressIn = (value: unknown): Address | undefined => readable(() => address(value));
const prefixesIn = (value: unknown): Prefix[] => prefixesOf(Array.isArray(value) ? value : []);
