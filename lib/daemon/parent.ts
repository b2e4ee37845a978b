/**
 * What has to be known of the link that carries an attachment's own, before anything is decided, and who else hangs on it.
 * Nothing has been made when these refuse.
 */
import type { Carrier } from "#lib/attach/kind.ts";
import type { Plan } from "#lib/attach/kinds.ts";
import { hangsOn, rivalry } from "#lib/attach/rivals.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Kernel } from "#lib/kernel/kernel.ts";
import type { LinkFact } from "#lib/state/fact.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import type { Core } from "./core.ts";
import { allFacts } from "./parts.ts";
import { scopeOf } from "./record.ts";

/**
 * The parent as it stands; undefined for types without one.
 * @throws SelvedgeError config-invalid: it is not there, or down, or nothing says which it is; kernel
 */
export async function lookUpParent(
  kernel: Kernel,
  { parent }: Plan,
  record: AttachmentRecord,
): Promise<Carrier | undefined> {
  if (parent === undefined) return undefined;
  const { at, field } = parent;
  const name = parent.name ?? (await kernel.facts()).uplink;
  if (name === undefined)
    throw await wrong(kernel, field, `${field}: is missing, and the node has no default route whose link could serve`);
  const asked: LinkFact = { type: "link", at, name, kind: "foreign", up: true };
  const [link] = await kernel.look(scopeOf(record), [asked]);
  if (link?.type !== "link")
    throw await wrong(
      kernel,
      field,
      `${field}: "${name}" is not a link of the ${at === "pod" ? "container" : "node"}`,
      at === "host",
    );
  if (!link.up && parent.mayBeDown !== true)
    throw new SelvedgeError(
      { kind: "config-invalid", field },
      `${field}: "${name}" is down, and so are all links on it`,
      {
        hint: `Set it up first: ip link set ${name} up`,
      },
    );
  if (link.mac === undefined || link.mtu === undefined)
    throw await wrong(
      kernel,
      field,
      `${field}: "${name}" has no MAC address and can carry no other link`,
      at === "host",
    );
  return { at, name, mac: link.mac, mtu: link.mtu };
}

/** With the links that could have been meant: those that are there now, not those of the last pass. */
async function wrong(kernel: Kernel, field: string, message: string, alternatives = true): Promise<SelvedgeError> {
  const links = alternatives ? (await kernel.facts()).links : [];
  return new SelvedgeError(
    { kind: "config-invalid", field },
    alternatives ? `${message}; there ${links.length === 1 ? "is" : "are"} ${links.join(", ") || "none"}` : message,
  );
}

/** @throws SelvedgeError conflict naming the attachment that is in the way */
export function refuseRivals(core: Core, record: AttachmentRecord): void {
  const wanted = carried(record);
  if (wanted.length === 0) return;
  for (const other of core.table) {
    if (other.containerId === record.containerId && other.ifname === record.ifname) continue;
    for (const theirs of carried(other)) {
      const link = wanted.find((w) => w.parent?.name === theirs.parent?.name && onSameNamespace(w, record, other));
      const found = link === undefined || shared(link, theirs) ? undefined : rivalry(link, theirs);
      if (found === undefined) continue;
      const holder = `container ${other.containerId} ${other.ifname}${other.pod === undefined ? "" : ` (${other.pod})`}`;
      throw new SelvedgeError(
        { kind: "conflict", what: `${found.field} on ${theirs.parent?.name}` },
        `${found.field}: ${found.why}; it is held by ${holder}`,
        { hint: found.hint },
      );
    }
  }
}

const carried = (record: AttachmentRecord): LinkFact[] =>
  allFacts(record).filter((fact): fact is LinkFact => fact.type === "link" && hangsOn(fact));

const onSameNamespace = (link: LinkFact, record: AttachmentRecord, other: AttachmentRecord): boolean =>
  link.parent?.at === "host" || record.netnsInode === other.netnsInode;

/** Both attachments mean the same link of the node. */
const shared = (one: LinkFact, other: LinkFact): boolean =>
  one.at === "host" && other.at === "host" && one.name === other.name;
