/** What must agree where a network is one segment over all nodes of the cluster. */
import { type Complaint, complaint, lookUp } from "./complaint.ts";
import { vniOf } from "./egress-schema.ts";
import { listAt, poolsOf } from "./overlaps.ts";
import { clusterVxlan, noVlans } from "./segment-mistakes.ts";
import type { Path } from "./yaml.ts";

/** Of `bridge` (lib/attach/bridge/spec.ts). */
const DEFAULT_BRIDGE = "selvedge0";

export function stretchMistakes(root: unknown): Complaint[] {
  const vnis = new Map<unknown, string>([
    [clusterVxlan(root, "vni"), "the cluster"],
    ...listAt(root, "networks").map(
      (network) => [lookUp(network, ["encapsulation", "vni"]), `network "${nameOf(network)}"`] as const,
    ),
    ...listAt(lookUp(root, ["cluster"]), "egress").flatMap((egress) => {
      const [name, vni] = [lookUp(egress, ["name"]), lookUp(egress, ["vni"])];
      if (typeof name !== "string" || (vni !== undefined && typeof vni !== "number")) return [];
      return [[vniOf({ name, vni }), `egress "${name}"`] as const];
    }),
  ]);
  const bridges = new Map<string, string>();
  const users = poolUsers(root);
  return listAt(root, "networks").flatMap((network, i) => {
    const vni = lookUp(network, ["stretch", "vni"]);
    if (lookUp(network, ["stretch"]) === undefined) return [];
    const at = (...more: Path): Path => ["networks", i, ...more];
    const refused = (text: string): Complaint => complaint(at("stretch"), text);
    const type = lookUp(network, ["attachment"]) ?? lookUp(root, ["defaults", "attachment"]) ?? "ptp";
    const bridge = String(lookUp(network, ["options", "bridge"]) ?? lookUp(network, ["bridge"]) ?? DEFAULT_BRIDGE);
    // Each tenant has a router with bridges of its own.
    const place = `${bridge} ${String(lookUp(network, ["tenant"]) ?? "")}`;
    const [holder, other] = [vnis.get(vni), bridges.get(place)];
    if (vni !== undefined) vnis.set(vni, `network "${nameOf(network)}"`);
    bridges.set(place, nameOf(network));
    return [
      ...(type === "bridge" ? [] : [refused(`needs attachment "bridge", not ${JSON.stringify(type)}`)]),
      ...(lookUp(root, ["cluster"]) === undefined ? [refused("needs `cluster`, whose nodes the segment is on")] : []),
      ...(lookUp(network, ["encapsulation"]) === undefined
        ? []
        : [refused("is not possible together with `encapsulation`; leave one of the two out")]),
      ...(holder === undefined || vni === undefined
        ? []
        : [complaint(at("stretch", "vni"), `${String(vni)} is that of ${holder} already`)]),
      ...(other === undefined ? [] : [refused(`bridge ${bridge} is that of network "${other}" already`)]),
      ...poolMistakes(network, i, users),
      ...noVlans(network, i, "stretch"),
    ];
  });
}

/** Addresses of a segment are reached on it, and those of every other network by way of a node. */
function poolMistakes(network: unknown, i: number, { common, usersOf }: Users): Complaint[] {
  return poolsOf(network, common).flatMap((pool) => {
    const holder = usersOf.get(pool)?.find((other) => other !== network);
    if (pool !== common && holder === undefined) return [];
    const whose = pool === common ? "that of networks that name none" : `that of network "${nameOf(holder)}", too`;
    return [complaint(["networks", i, "stretch"], `needs a pool of its own, and "${String(pool)}" is ${whose}`)];
  });
}

interface Users {
  /** The pool of networks that name none. */
  readonly common: unknown;
  /** Networks by what they draw from. */
  readonly usersOf: ReadonlyMap<unknown, readonly unknown[]>;
}

function poolUsers(root: unknown): Users {
  const common = lookUp(root, ["defaultPool"]) ?? "default";
  const usersOf = new Map<unknown, unknown[]>();
  for (const network of listAt(root, "networks"))
    for (const pool of poolsOf(network, common)) {
      const users = usersOf.get(pool) ?? [];
      users.push(network);
      usersOf.set(pool, users);
    }
  return { common, usersOf };
}

const nameOf = (member: unknown): string => String(lookUp(member, ["name"]));
