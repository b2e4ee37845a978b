/**
 * The Lease that says that this process lives. One that was lost (somebody else has ended it, since nothing was heard) is
 * followed by another one of another name.
 */
import type { Resource } from "#lib/k8s/api/resource.ts";
import { type Kept, type KeptOptions, kept } from "../kept.ts";
import type { Api } from "./api.ts";
import { leaseObject, renewal } from "./leases.ts";

export interface SessionOptions extends KeptOptions {
  readonly api: Api;
  readonly leases: Resource;
  /** Of this process, for people. */
  readonly holder: string;
  /**
   * Puts with the Lease `session` what one of `before` had, or nobody has.
   * @returns whether it is there now. @throws SelvedgeError store
   */
  readonly putAgain: (
    entry: { readonly key: string; readonly value: string },
    session: string,
    before: ReadonlySet<string>,
  ) => Promise<boolean>;
}

/** By the Lease's name. */
export function session(options: SessionOptions): Kept<string> {
  const { api, leases, holder, livenessSeconds, random, putAgain } = options;
  const names = new Set<string>();
  return kept(
    {
      async make() {
        const number = Math.floor(random() * 2 ** 48);
        const name = `selvedge-${number.toString(16).padStart(12, "0")}`;
        names.add(name);
        await api.create(leases, leaseObject(name, { holder, seconds: livenessSeconds }));
        return name;
      },
      renew: async (name) => (await api.merge(leases, name, renewal())) !== undefined,
      putAgain: (entry, name) => putAgain(entry, name, names),
    },
    options,
  );
}
