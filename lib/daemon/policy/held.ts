/** Which of an attachment's addresses policies can be kept for: those whose packets the node sees. */
import { type Address, addressOf } from "#lib/address.ts";
import { parseArgs } from "#lib/cni/args.ts";
import { parseNetConf } from "#lib/cni/netconf.ts";
import { isFailure } from "#lib/errors.ts";
import type { PodName } from "#lib/k8s/objects.ts";
import type { Held } from "#lib/policy/held.ts";
import { readLabelsText } from "#lib/policy/labels.ts";
import type { Labels } from "#lib/policy/objects.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import { NODE } from "../host.ts";
import { partsOf } from "../parts.ts";
import { addressesOf } from "../record.ts";
import { keyOf } from "../table.ts";

/** Types of attachments whose packets are routed, or bridged, by the node. */
const SEEN: ReadonlySet<string> = new Set(["ptp", "bridge", "chained"]);

/** The pod as the runtime named it. */
export function podNameOf({ pod = "", args }: Pick<AttachmentRecord, "pod" | "args">): PodName | undefined {
  const [namespace = "", name = ""] = pod.split("/");
  if (namespace === "" || name === "") return undefined;
  const uid = parseArgs(args).get("K8S_POD_UID");
  return { namespace, name, ...(uid === undefined || uid === "" ? {} : { uid }) };
}

/** Labels of a pod that is known from nowhere else: `app=web,tier=front`. */
const LABELS_ANNOTATION = "selvedge.dev/labels";

export interface Kept {
  /** Absent for a container that is no pod, and one of whose interfaces none passes the node. */
  readonly held?: Held;
  /** What it sends to its neighbours does not leave its bridge. */
  readonly isBridged: boolean;
  /** Interfaces whose packets do not pass the node, or pass it in a tenant's router, with their types. */
  readonly unseen: readonly { readonly ifname: string; readonly type: string }[];
}

export function keptOf(record: AttachmentRecord): Kept {
  const pod = podNameOf(record);
  if (pod === undefined) return { isBridged: false, unseen: [] };
  const interfaces = record.planes ?? [{ ifname: record.ifname, type: record.type }];
  const isSeen = (plane: (typeof interfaces)[number]): boolean =>
    SEEN.has(plane.type) && !("tenant" in plane && plane.tenant !== undefined);
  const unseen = interfaces.filter((each) => !isSeen(each)).map(({ ifname, type }) => ({ ifname, type }));
  const addresses = addressesSeen(record, new Set(interfaces.filter(isSeen).map(({ ifname }) => ifname)));
  const isBridged = interfaces.some(({ type }) => type === "bridge");
  if (addresses.length === 0) return { isBridged, unseen };
  const labels = labelsOf(record);
  const { namespace, name } = pod;
  const held = { key: keyOf(record), namespace, name, addresses, ...(labels === undefined ? {} : { labels }) };
  return { held, isBridged, unseen };
}

function addressesSeen(record: AttachmentRecord, ifnames: ReadonlySet<string>): Address[] {
  if (record.chained) return addressesOf(record);
  return partsOf(record).flatMap(({ host, facts }) =>
    host !== NODE
      ? []
      : facts.flatMap((fact) =>
          fact.type === "address" && fact.at === "pod" && ifnames.has(fact.link) ? [addressOf(fact.address)] : [],
        ),
  );
}

/** As the runtime told at ADD, if it did. A configuration that was read then can be read now, unless this version is another. */
function labelsOf(record: AttachmentRecord): Labels | undefined {
  try {
    const { wishes } = parseNetConf("ADD", Buffer.from(record.config), record.args, record.ifname);
    const annotated = wishes.podAnnotations[LABELS_ANNOTATION];
    if (annotated === undefined && Object.keys(wishes.podLabels).length === 0) return undefined;
    return annotated === undefined ? wishes.podLabels : readLabelsText({ path: LABELS_ANNOTATION, value: annotated });
  } catch (error) {
    if (!isFailure(error)) throw error;
    return undefined;
  }
}
