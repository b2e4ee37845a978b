/** What an API server does with POST, PUT, PATCH and DELETE of custom resources and Leases, as strictly as a real one. */
import type { ApiObject, collection } from "./collection.ts";

export interface Write {
  readonly method: string;
  readonly kind: { readonly apiVersion: string; readonly kind: string };
  readonly namespace?: string;
  /** Absent: of all there are, to which POST adds. */
  readonly name?: string;
  readonly body: ApiObject;
}

/** What it answers: HTTP's status and the object, or why not. */
export type Outcome = readonly [code: number, said: ApiObject | string];

/** RFC 1123, "subdomain". */
const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** meta/v1 MicroTime. */
const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

export function write(objects: ReturnType<typeof collection>, { method, kind, namespace, name, body }: Write): Outcome {
  const place = namespace === undefined ? {} : { namespace };
  const named = (of: string): ApiObject => ({ ...kind, metadata: { ...place, name: of } });
  const before = name === undefined ? undefined : objects.find(named(name));
  if (method !== "POST" && before === undefined) return [404, `${kind.kind} "${name}" not found`];
  switch (method) {
    case "POST": {
      const wrong = mistake(kind, body);
      if (wrong !== undefined) return [422, wrong];
      if (body.metadata.resourceVersion !== undefined)
        return [422, "resourceVersion can not be set for Create requests"];
      if (objects.find(named(body.metadata.name)) !== undefined) return [409, `${body.metadata.name} already exists`];
      return [201, put(objects, named(body.metadata.name), body)];
    }
    case "PUT": {
      const wrong = mistake(kind, body) ?? (body.metadata.name === name ? undefined : "the name is another");
      if (wrong !== undefined) return [422, wrong];
      const { resourceVersion } = body.metadata;
      if (resourceVersion === undefined) return [422, "metadata.resourceVersion: must be specified for an update"];
      if (resourceVersion !== before?.metadata.resourceVersion) return [409, "the object has been modified"];
      return [200, put(objects, named(body.metadata.name), body)];
    }
    case "PATCH": {
      const patched = merged(before, body) as ApiObject;
      const wrong = mistake(kind, patched);
      return wrong === undefined ? [200, put(objects, named(name ?? ""), patched)] : [422, wrong];
    }
    case "DELETE": {
      const { preconditions } = body as { preconditions?: { resourceVersion?: string } };
      const wanted = preconditions?.resourceVersion;
      if (body.kind !== "DeleteOptions") return [400, "DeleteOptions are wanted"];
      if (wanted !== undefined && wanted !== before?.metadata.resourceVersion)
        return [409, "Precondition failed: ResourceVersion"];
      objects.remove(named(name ?? ""));
      return [200, before ?? body];
    }
    default:
      return [405, "the server does not allow this method on the requested resource"];
  }
}

function mistake(kind: Write["kind"], { apiVersion, kind: is, metadata, spec }: ApiObject): string | undefined {
  if (apiVersion !== kind.apiVersion || is !== kind.kind) return "the kind is another";
  if (!NAME.test(metadata.name) || metadata.name.length > 253)
    return `metadata.name: Invalid value: "${metadata.name}"`;
  if (typeof spec !== "object" || spec === null) return "spec: Required value";
  const { renewTime, leaseDurationSeconds } = spec as Record<string, unknown>;
  if (kind.kind !== "Lease") return undefined;
  if (!MICRO_TIME.test(String(renewTime))) return `spec.renewTime: ${renewTime}`;
  return Number.isInteger(leaseDurationSeconds) ? undefined : "spec.leaseDurationSeconds";
}

/** What is the same as before is not written again; fields come back in the order of their names, as from etcd. */
function put(objects: ReturnType<typeof collection>, named: ApiObject, body: ApiObject): ApiObject {
  const { labels } = body.metadata as { labels?: object };
  const metadata = { ...named.metadata, ...(labels === undefined ? {} : { labels }) };
  const object = { ...named, ...(sorted(body) as ApiObject), metadata };
  const before = objects.find(named);
  const plain = ({ metadata: { resourceVersion: _, uid: __, ...rest }, ...more }: ApiObject): string =>
    JSON.stringify(sorted({ ...more, metadata: rest }));
  if (before === undefined || plain(before) !== plain(object)) objects.put(object);
  return objects.find(named) ?? object;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}

/** RFC 7386. */
export function merged(before: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(typeof before === "object" ? before : {}) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}
