/** What must agree between the addresses by which pods leave the cluster. */
import { type Address, address, contains, family } from "#lib/address.ts";
import { readable } from "#lib/parse.ts";
import { type Complaint, complaint, lookUp, unknownName } from "./complaint.ts";
import { vniOf } from "./egress-schema.ts";
import { listAt, subnetsOf } from "./overlaps.ts";
import { clusterVxlan } from "./segment-mistakes.ts";
import { sameNames } from "./twice.ts";
import type { Path } from "./yaml.ts";

const EGRESS = ["cluster", "egress"];
/** Marks of packets have a byte for them, and one of its values is for answers (lib/datapath/egress/names.ts). */
const MOST = 254;

interface Known {
  readonly networks: ReadonlySet<string>;
  readonly tenants: ReadonlySet<string>;
}

export function egressMistakes(root: unknown, { networks, tenants }: Known): Complaint[] {
  const all = listAt(lookUp(root, ["cluster"]), "egress");
  return [
    ...(all.length > MOST ? [complaint(EGRESS, `${all.length} are too many; there may be ${MOST}`)] : []),
    ...sameNames(all, EGRESS),
    ...vniMistakes(root, all),
    ...addressMistakes(root, all),
    ...all.flatMap((member, i) =>
      listAt(member, "pods").flatMap((rule, n) => {
        const network = lookUp(rule, ["network"]);
        const path = [...EGRESS, i, "pods", n];
        const tenant = lookUp(rule, ["tenant"]);
        if (typeof tenant === "string") return tenantMistakes(root, { rule, tenant, tenants, path });
        if (typeof network === "string" && !networks.has(network))
          return [unknownName([...path, "network"], "network", network, networks)];
        return typeof network === "string" ? ofTenant(root, network, [...path, "network"]) : [];
      }),
    ),
  ];
}

/** A tenant's pods are behind a router of their own, and the node sees that router's address alone. */
function ofTenant(root: unknown, network: string, path: Path): Complaint[] {
  const found = listAt(root, "networks").find((each) => lookUp(each, ["name"]) === network);
  const tenant = lookUp(found, ["tenant"]);
  return tenant === undefined
    ? []
    : [
        complaint(
          path,
          `"${network}" is a network of tenant ${JSON.stringify(tenant)}, whose pods leave by its router; name the tenant`,
        ),
      ];
}

function tenantMistakes(
  root: unknown,
  of: { readonly rule: unknown; readonly tenant: string; readonly tenants: ReadonlySet<string>; readonly path: Path },
): Complaint[] {
  const path = [...of.path, "tenant"];
  if (!of.tenants.has(of.tenant)) return [unknownName(path, "tenant", of.tenant, of.tenants)];
  const others = Object.keys(of.rule ?? {}).filter((key) => key !== "tenant");
  const found = listAt(root, "tenants").find((each) => lookUp(each, ["name"]) === of.tenant);
  return [
    ...(others.length > 0 ? [complaint(path, `means all pods of the tenant; leave out ${others.join(", ")}`)] : []),
    ...(lookUp(found, ["egress"]) === false ? [complaint(path, `"${of.tenant}" has no egress`)] : []),
  ];
}

function vniMistakes(root: unknown, all: readonly unknown[]): Complaint[] {
  const given = clusterVxlan(root, "vni");
  const others = listAt(root, "networks").flatMap((network) =>
    ["encapsulation", "stretch"].map((key) => lookUp(network, [key, "vni"])),
  );
  const vnis = all.map((member) => {
    const [name, vni] = [lookUp(member, ["name"]), lookUp(member, ["vni"])];
    return typeof name !== "string" || (vni !== undefined && typeof vni !== "number")
      ? undefined
      : vniOf({ name, vni });
  });
  return vnis.flatMap((vni, i) => {
    if (vni === undefined) return [];
    const isTaken = vni === given || others.includes(vni) || vnis.indexOf(vni) < i;
    return isTaken ? [complaint([...EGRESS, i, "vni"], `${vni} is used already; give it another`)] : [];
  });
}

function addressMistakes(root: unknown, all: readonly unknown[]): Complaint[] {
  const subnets = listAt(root, "pools").flatMap((pool) =>
    subnetsOf(lookUp(pool, ["ranges"])).map((subnet) => ({ subnet, pool: String(lookUp(pool, ["name"])) })),
  );
  const holders = new Map<Address, string>();
  return all.flatMap((member, i) => {
    const families = new Set<number>();
    return listAt(member, "addresses").flatMap((given, n) => {
      const found = addressIn(given);
      if (found === undefined) return [];
      const path = [...EGRESS, i, "addresses", n];
      const of = family(found);
      const holder = holders.get(found);
      const inside = subnets.find(({ subnet }) => contains(subnet, found));
      const isSecond = families.has(of);
      families.add(of);
      holders.set(found, String(lookUp(member, ["name"])));
      if (holder !== undefined) return [complaint(path, `${found} is an address of "${holder}" already`)];
      if (isSecond) return [complaint(path, `${found} is the second of IPv${of}; there may be one of each family`)];
      if (inside !== undefined)
        return [complaint(path, `${found} is in pool "${inside.pool}", whose addresses are pods'`)];
      return [];
    });
  });
}

/** What cannot be read is another one's complaint. */
const addressIn = (given: unknown): Address | undefined => readable(() => address(given));
