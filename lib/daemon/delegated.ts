/** IPAM by another plugin (`ipam.type` other than "selvedge"): how to ask it. */
import { preflight } from "#lib/cni/preflight.ts";
import type { Request, Verb } from "#lib/cni/types.ts";
import type { Delegation } from "#lib/delegate/delegate.ts";
import { fields } from "#lib/parse.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";

type DelegatedVerb = Delegation["verb"];

/** Within the deadline that the plugin gives us for the same verb, so that its error still reaches the runtime. */
const DEADLINE_MS = {
  ADD: 30_000,
  DEL: 10_000,
  CHECK: 4_000,
  GC: 20_000,
  STATUS: 800,
} as const satisfies Record<DelegatedVerb, number>;

type Asked = Pick<Request, "containerId" | "netns" | "ifname" | "args" | "path" | "config">;

/** undefined when the configuration leaves IPAM to us, or has none. @throws SelvedgeError decode, config-invalid, version-unsupported */
export function delegationOf(request: Asked, verb: DelegatedVerb): Delegation | undefined {
  const { cniVersion, raw } = preflight(verb satisfies Verb, request.config);
  const type = fields(fields(raw)("ipam"))("type").value;
  if (typeof type !== "string" || type === "" || type === "selvedge") return undefined;
  const { containerId, netns, ifname, args, path, config } = request;
  return {
    plugin: type,
    verb,
    path,
    containerId,
    netns,
    ifname,
    args,
    config,
    cniVersion,
    deadlineMs: DEADLINE_MS[verb],
  };
}

/** As the ADD had it: the configuration may have changed since. A chained attachment has no addresses of its own. */
export const delegationOfRecord = (record: AttachmentRecord, verb: DelegatedVerb): Delegation | undefined =>
  record.chained ? undefined : delegationOf({ ...record, config: Buffer.from(record.config) }, verb);
