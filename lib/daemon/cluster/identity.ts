/** Who this node is to the others. */
import { createHash, randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { type Mac, macFromBytes } from "#lib/address.ts";
import type { Named, Store } from "#lib/store/store.ts";

export interface Identity {
  readonly name: string;
  /** A machine that takes over the name has another. */
  readonly uid: string;
  /** Of its tunnel's device. */
  readonly tunnelMac: Mac;
}

const UID = "uid";

/** Makes a uid where the node has none yet, and keeps it. @throws SelvedgeError store */
export async function identityOf(
  store: Store,
  kept: readonly Named[],
  { name = hostname() }: { readonly name?: string },
): Promise<Identity> {
  const known = kept.find((each) => each.name === UID)?.value;
  const uid = known ?? randomUUID();
  if (known === undefined) await store.commit([{ put: "own", value: { name: UID, value: uid } }]);
  return { name, uid, tunnelMac: macOf(uid) };
}

/** The same for the same node; 46 bits of the hash, locally administered and unicast (IEEE 802). */
function macOf(uid: string): Mac {
  const bytes = createHash("sha256").update(`selvedge tunnel ${uid}`).digest().subarray(0, 6);
  bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02;
  return macFromBytes(bytes);
}
