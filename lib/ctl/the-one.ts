/** The attachment that an operator means by a few letters. */
import { SelvedgeError } from "#lib/errors.ts";
import type { Attachment, AttachmentKey } from "#proto/selvedge_pb.ts";
import { shortId } from "./attachments.ts";

/** True when `wanted` is the beginning of the container id, that and `/ifname`, the pod's name, or namespace/name. */
function matches(wanted: string, { key, pod }: Attachment): boolean {
  if (key === undefined) return false;
  const [id = "", ifname, ...more] = wanted.split("/");
  const byId = key.containerId.startsWith(id) && (ifname === undefined || ifname === key.ifname) && more.length === 0;
  return byId || pod === wanted || pod.split("/")[1] === wanted;
}

/** @throws SelvedgeError config-invalid when none matches or several do */
export function theOne(wanted: string, attachments: readonly Attachment[]): AttachmentKey {
  const found = attachments
    .filter((one) => matches(wanted, one))
    .flatMap(({ key }) => (key === undefined ? [] : [key]));
  const exact = found.filter(({ containerId }) => containerId === wanted.split("/")[0]);
  const [first, ...others] = exact.length > 0 ? exact : found;
  const invalid = (message: string, hint: string) =>
    new SelvedgeError({ kind: "config-invalid", field: "attachment" }, message, { hint });
  if (first === undefined)
    throw invalid(
      `no attachment matches "${wanted}"`,
      "Give the beginning of a container id, a pod's name, or namespace/name; `selvedgectl attachments` lists them.",
    );
  if (others.length > 0)
    throw invalid(
      `"${wanted}" is not one attachment: ${[first, ...others].map((k) => `${shortId(k.containerId)}/${k.ifname}`).join(", ")}`,
      "Give more of the container id, or CONTAINER/IFNAME.",
    );
  return first;
}
