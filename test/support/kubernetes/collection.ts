/** Objects of all kinds with one version for all of them, as etcd keeps them, and what has happened to them. */
export interface ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly status?: { readonly phase?: string };
  readonly [key: string]: unknown;
}

export interface Happened {
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: ApiObject;
  /** What it was before. */
  readonly before?: ApiObject;
}

/** Of the collection that an object is in, and its own. */
const keyOf = ({ apiVersion, kind, metadata }: ApiObject): string =>
  [apiVersion, kind, metadata.namespace ?? "", metadata.name].join(" ");

export function collection(onChange: (happened: Happened) => void) {
  const objects = new Map<string, ApiObject>();
  let history: Happened[] = [];
  let version = 100;
  let compacted = 100;
  let uids = 0;
  const happen = (type: Happened["type"], object: ApiObject, before?: ApiObject): void => {
    const at = ++version;
    const stamped = { ...object, metadata: { ...object.metadata, resourceVersion: `${at}` } };
    if (type === "DELETED") objects.delete(keyOf(object));
    else objects.set(keyOf(object), stamped);
    const happened = { version: at, type, object: stamped, ...(before === undefined ? {} : { before }) };
    history.push(happened);
    onChange(happened);
  };
  return {
    get version() {
      return version;
    },
    get compacted() {
      return compacted;
    },
    put(object: ApiObject): void {
      const before = objects.get(keyOf(object));
      const uid = before?.metadata.uid ?? `uid-${++uids}`;
      const whole = { ...object, metadata: { ...object.metadata, uid } };
      happen(before === undefined ? "ADDED" : "MODIFIED", whole, before);
    },
    remove(object: ApiObject): void {
      const before = objects.get(keyOf(object));
      if (before !== undefined) happen("DELETED", before, before);
    },
    find: (of: ApiObject): ApiObject | undefined => objects.get(keyOf(of)),
    of: (apiVersion: string, kind: string): ApiObject[] =>
      [...objects.entries()]
        .filter(([key]) => key.startsWith(`${apiVersion} ${kind} `))
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([, object]) => object),
    since: (from: number): readonly Happened[] => history.filter((each) => each.version > from),
    /** Nobody can be told any more of what has happened until now. */
    compact(): void {
      compacted = ++version;
      history = [];
    },
    /** As after a restore from a backup: the same objects, under smaller versions. */
    restore(to: number): void {
      version = to;
      compacted = 0;
      history = [];
      for (const [key, object] of objects)
        objects.set(key, { ...object, metadata: { ...object.metadata, resourceVersion: `${to}` } });
    },
  };
}
