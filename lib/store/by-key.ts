import type { Entry } from "./shared.ts";

/** Keys are ASCII: their order is that of their bytes, as in etcd. */
export const byKey = (a: Pick<Entry, "key">, b: Pick<Entry, "key">): number => (a.key < b.key ? -1 : 1);
