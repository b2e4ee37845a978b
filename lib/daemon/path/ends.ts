/** The two ends of a path: which pod of this node an operator means. */
import { type Address, address, contains, type Family, family, type Prefix } from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { readable } from "#lib/parse.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import type { Core } from "../core.ts";
import { leaseKeys } from "../parts.ts";
import { addressesAt, addressesOf } from "../record.ts";

/** A pod, as nodes tell each other. */
export interface End {
  readonly node: string;
  readonly containerId: string;
  readonly ifname: string;
  readonly pod: string;
  /** Those that are meant: the one by which it was named, or all. */
  readonly addresses: readonly Address[];
}

/** What of this node's attachments is meant by the beginning of a container's id, a pod's name, or an address. */
export function endsMeant(core: Pick<Core, "table">, wanted: string, node: string): End[] {
  const named = addressIn(wanted);
  const ready = [...core.table].filter(({ phase }) => phase === "ready");
  const found = ready.flatMap((record) => {
    const ifname = interfaceMeant(record, wanted, named);
    return ifname === undefined ? [] : [{ record, ifname }];
  });
  const exact = found.filter(({ record }) => record.containerId === wanted.split("/")[0]);
  return (exact.length > 0 ? exact : found).map(({ record, ifname }) => ({
    node,
    containerId: record.containerId,
    ifname,
    pod: record.pod ?? "",
    addresses: named === undefined ? addressesAt(record, ifname) : [named],
  }));
}

const addressIn = (text: string): Address | undefined => readable(() => address(text));

/** Its own, unless that of one of its planes is named, or an address of it. Undefined: it is not meant. */
function interfaceMeant(record: AttachmentRecord, wanted: string, named: Address | undefined): string | undefined {
  const { containerId, ifname, pod } = record;
  const all = leaseKeys(record).map((key) => key.ifname);
  if (named !== undefined)
    return addressesOf(record).includes(named)
      ? (all.find((each) => addressesAt(record, each).includes(named)) ?? ifname)
      : undefined;
  const [id = "", of = ifname, ...more] = wanted.split("/");
  if (id !== "" && containerId.startsWith(id) && more.length === 0 && all.includes(of)) return of;
  return pod === wanted ? ifname : undefined;
}

export const addressOfFamily = ({ addresses }: Pick<End, "addresses">, of: number): Address | undefined =>
  addresses.find((address) => family(address) === of);

/** @throws SelvedgeError config-invalid */
export function theOne(wanted: string, [first, ...others]: readonly End[], { cluster }: Core): End {
  const invalid = (message: string, hint: string) =>
    new SelvedgeError({ kind: "config-invalid", field: "pod" }, message, { hint });
  if (first !== undefined && others.length === 0) return first;
  if (first !== undefined)
    throw invalid(
      `"${wanted}" is not one pod: ${[first, ...others].map(({ containerId, ifname, node }) => `${containerId}/${ifname}${node === "" ? "" : ` on ${node}`}`).join(", ")}`,
      "Give more of the container's id, or CONTAINER/IFNAME.",
    );
  const away =
    cluster !== undefined && cluster.connected !== true ? "; the store is away, so other nodes were not asked" : "";
  throw invalid(
    `no pod is known as "${wanted}"${away}`,
    "Give the beginning of a container's id, namespace/name of a pod, or its address; `selvedgectl attachments` lists those of a node.",
  );
}

/** An address that nobody tells of, on the node whose block it is of. Undefined for any other text. */
export function bareEnd(text: string, { blocks }: Pick<Core, "blocks">): End | undefined {
  const node = ownerOf(text, blocks?.list() ?? []);
  return node === undefined ? undefined : { node, containerId: "", ifname: "", pod: "", addresses: [address(text)] };
}

/** Whose block an address is of. */
function ownerOf(
  text: string,
  blocks: readonly { readonly prefix: Prefix; readonly node: string }[],
): string | undefined {
  const wanted = addressIn(text);
  return wanted && blocks.find(({ prefix }) => contains(prefix, wanted))?.node;
}

/** @throws SelvedgeError config-invalid */
export function familyOf(from: End, to: End, wanted: number): Family {
  const both = ([4, 6] as const).filter((of) => addressOfFamily(from, of) && addressOfFamily(to, of));
  const found = wanted === 0 ? both[0] : both.find((of) => of === wanted);
  if (found !== undefined) return found;
  throw new SelvedgeError(
    { kind: "config-invalid", field: "family" },
    wanted === 0
      ? "the two ends have no addresses of one family"
      : `family: not both ends have an IPv${wanted} address; an end named by its address has that one alone`,
  );
}
