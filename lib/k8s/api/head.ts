/** What every object of Kubernetes has (meta/v1 ObjectMeta), as far as following it needs. */
import { absent, fields, root, text } from "#lib/parse.ts";

export interface Head {
  /** `namespace/name`, or the name alone of what is in no namespace. */
  readonly name: string;
  readonly version: string;
  /** Of two objects that have had one name each has its own. */
  readonly uid: string;
}

/** @throws SelvedgeError config-invalid */
export function headOf(object: unknown): Head {
  const metadata = fields(fields(root(object))("metadata"));
  const [namespace, name] = [metadata("namespace"), text(metadata("name"))];
  return {
    name: absent(namespace) ? name : [text(namespace), name].join("/"),
    version: versionOf(object),
    uid: text(metadata("uid"), { or: "" }),
  };
}

/** Also of a list and a bookmark. @throws SelvedgeError config-invalid */
export const versionOf = (object: unknown): string => text(fields(fields(root(object))("metadata"))("resourceVersion"));

/** Versions of one kind of object are whole numbers that grow (Kubernetes 1.35, "resource versions are comparable"; etcd's revisions before). */
export const isNewer = (version: string, than: string): boolean => BigInt(version) > BigInt(than);
