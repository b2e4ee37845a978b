/** Keys and values as objects of the API, and back. */
import { createHash } from "node:crypto";
import { SelvedgeError } from "#lib/errors.ts";
import { headOf } from "#lib/k8s/api/head.ts";
import { GROUP } from "#lib/k8s/api/resource.ts";
import { fields, readable, root, text } from "#lib/parse.ts";
import type { Entry, Revision } from "../shared.ts";
import { KINDS, type Kind, kindOf } from "./kinds.ts";

const KIND_OF: ReadonlyMap<unknown, Kind> = new Map(KINDS.map((each) => [each.kind, each]));

/** Label of what is there for as long as somebody lives; its value is the name of that one's Lease. */
export const SESSION = `${GROUP}/session`;

/** An object to be sent, or that came. */
export interface ApiObject {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** RFC 1123, as names of objects are (kubernetes.io, "Object Names and IDs"). */
const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const ONE_LABEL = new RegExp(`^${LABEL}$`);
const SUBDOMAIN = new RegExp(`^${LABEL}(\\.${LABEL})*$`);
/** Of 253 characters; the rest is for the hash. */
const MOST_READABLE = 200;
const HASH_DIGITS = 16;

/** Each key has one name: its segments with dots between them where they can be told apart again, else with a hash. */
export function nameOf(key: string): string {
  const { prefix, record } = kindOf(key);
  const rest = key.slice(prefix.length);
  const parts = rest.split("/");
  const plain = parts.join(".");
  const isPlain =
    parts.length === record?.fields.length &&
    parts.slice(0, -1).every((part) => ONE_LABEL.test(part)) &&
    SUBDOMAIN.test(plain) &&
    plain.length <= MOST_READABLE;
  if (isPlain) return plain;
  const readable = rest
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "")
    .slice(0, MOST_READABLE);
  const hash = createHash("sha256").update(key).digest("hex").slice(0, HASH_DIGITS);
  return readable === "" ? hash : `${readable}-${hash}`;
}

/** @param session for as long as which it is to be there @throws SelvedgeError store: a value that is none for that key */
export function objectOf(key: string, value: string, session?: string): ApiObject {
  const { apiVersion, kind, record } = kindOf(key);
  const metadata = { name: nameOf(key), ...(session === undefined ? {} : { labels: { [SESSION]: session } }) };
  if (record === undefined) return { apiVersion, kind, metadata, spec: { key, value } };
  const object = { apiVersion, kind, metadata, spec: parsed(value) };
  if (readable(() => keyIn(object)) === key) return object;
  throw new SelvedgeError(
    { kind: "store" },
    `shared store: the value of ${key} is no record with its ${record.fields.join(" and ")}`,
  );
}

/** Undefined for one that Selvedge has not written: it cannot be read, or its name is not that of its key. */
export const entryOf = (object: ApiObject): Entry | undefined =>
  readable(() => {
    const key = keyIn(object);
    const { name, version } = headOf(object);
    if (key === undefined || nameOf(key) !== name) return undefined;
    const { spec } = object;
    const value = kindOf(key).record === undefined ? text(fields(root(spec))("value")) : JSON.stringify(spec);
    return { key, value, revision: version as Revision };
  });

const parsed = (value: string): unknown => {
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return undefined;
  }
};

/** As its kind makes it of its fields. @throws SelvedgeError config-invalid: one is missing */
function keyIn(object: ApiObject): string | undefined {
  const kind = KIND_OF.get(object.kind);
  if (kind === undefined) return undefined;
  const at = fields(root(object.spec));
  const { prefix, record } = kind;
  if (record !== undefined) return prefix + record.restOf(record.fields.map((field) => text(at(field))));
  const key = text(at("key"));
  return kindOf(key) === kind ? key : undefined;
}
