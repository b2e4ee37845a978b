/** An Event of an object that is in no namespace: something is wrong with it. */
import { createHash } from "node:crypto";
import { SelvedgeError } from "#lib/errors.ts";
import type { Warning } from "../objects.ts";
import type { Ask } from "./ask.ts";
import { CONFIGURED } from "./resource.ts";

const POST_MS = 10_000;
/** Where Kubernetes has events of what is in no namespace (client-go, tools/events, eventRecorderImpl.makeEvent). */
const NAMESPACE = "default";
/** Of events.k8s.io/v1 Event.note (pkg/apis/core/validation/events.go, NoteLengthLimit), in UTF-8. */
const MOST_BYTES = 1_024;
/** The same file, ReportingInstanceLengthLimit: a node's name may be longer. */
const MOST_INSTANCE = 128;

/** Once, however often it is said: the same of the same object has the same name. @throws SelvedgeError not-ready */
export async function warn(ask: Ask, { kind, name, uid, action, reason, message, by, atMs }: Warning): Promise<void> {
  const apiVersion = CONFIGURED.find((each) => each.kind === kind)?.apiVersion;
  const same = createHash("sha256")
    .update(JSON.stringify([kind, name, uid, reason, message]))
    .digest("hex");
  const answer = await ask({
    path: `/apis/events.k8s.io/v1/namespaces/${NAMESPACE}/events`,
    change: {
      method: "POST",
      body: {
        apiVersion: "events.k8s.io/v1",
        kind: "Event",
        metadata: { namespace: NAMESPACE, name: `${name}.${same.slice(0, 16)}` },
        // meta/v1 MicroTime.
        eventTime: new Date(atMs).toISOString().replace("Z", "000Z"),
        type: "Warning",
        action,
        reason,
        note: withinBytes(message),
        regarding: { apiVersion, kind, name, uid },
        reportingController: "selvedge.dev/selvedged",
        reportingInstance: by.slice(0, MOST_INSTANCE),
      },
    },
    signal: AbortSignal.timeout(POST_MS),
  });
  if ("stream" in answer) return void answer.stream.resume();
  if (answer.status === 409) return;
  throw new SelvedgeError({ kind: "not-ready" }, `may not create events: ${answer.status} ${answer.message}`);
}

/** As much of it as there is room for, in whole characters. */
const withinBytes = (text: string): string =>
  text.slice(0, new TextEncoder().encodeInto(text, new Uint8Array(MOST_BYTES)).read);
