/** The two ends of a path: which pod of this node an operator means. */
import { type Address, address, contains, type Family, family, type Prefix } from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { readable } from "#lib/parse.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import type { Core } from "../core.ts";
import { addressesOf } from "../record.ts";

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
  const found = [...core.table].filter((record) => record.phase === "ready" && means(record, wanted, named));
  const exact = found.filter(({ containerId }) => containerId === wanted.split("/")[0]);
  return (exact.length > 0 ? exact : found).map((record) => ({
    node,
    containerId: record.containerId,
    ifname: record.ifname,
    pod: record.pod ?? "",
    addresses: named === undefined ? addressesOf(record) : [named],
  }));
}

const addressIn = (text: string): Address | undefined => readable(() => address(text));

function means(record: AttachmentRecord, wanted: string, named: Address | undefined): boolean {
  if (named !== undefined) return addressesOf(record).includes(named);
  const { containerId, ifname, pod } = record;
  const [id = "", of, ...more] = wanted.split("/");
  const byId = id !== "" && containerId.startsWith(id) && (of === undefined || of === ifname) && more.length === 0;
  return byId || pod === wanted;
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
