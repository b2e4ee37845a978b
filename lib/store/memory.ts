/** A store that forgets with its process: for tests and throw-away nodes. */
import type {
  AttachmentKey,
  AttachmentRecord,
  Change,
  CoolDown,
  Lease,
  PoolRecord,
  Reservation,
  Share,
  Store,
} from "./store.ts";

export function memory(): Store {
  const attachments = new Map<string, AttachmentRecord>();
  const leases = new Map<string, Lease>();
  const coolDowns = new Map<string, CoolDown>();
  const pools = new Map<string, PoolRecord>();
  const reservations = new Map<string, Reservation>();
  const shares = new Map<string, Share>();
  const replayed = new Set<string>();
  const shared = new Map<string, string>();
  const own = new Map<string, string>();

  const put = (change: Extract<Change, { put: string }>): unknown => {
    switch (change.put) {
      case "attachment":
        return attachments.set(keyOf(change.value), change.value);
      case "lease":
        return leases.set(placeOf(change.value), change.value);
      case "coolDown":
        return coolDowns.set(placeOf(change.value), change.value);
      case "pool":
        return pools.set(change.value.name, change.value);
      case "reservation":
        return reservations.set(nameOf(change.value), change.value);
      case "share":
        return shares.set(prefixOf(change.value), change.value);
      case "replayed":
        return replayed.add(change.name);
      case "shared":
        return shared.set(change.value.name, change.value.value);
      case "own":
        return own.set(change.value.name, change.value.value);
    }
  };

  const remove = (change: Extract<Change, { remove: string }>): boolean => {
    switch (change.remove) {
      case "attachment":
        return attachments.delete(keyOf(change.key));
      case "lease":
        return leases.delete(placeOf(change));
      case "coolDown":
        return coolDowns.delete(placeOf(change));
      case "pool":
        return pools.delete(change.name);
      case "reservation":
        return reservations.delete(nameOf(change));
      case "share":
        return shares.delete(prefixOf(change));
      case "replayed":
        return replayed.delete(change.name);
      case "shared":
        return shared.delete(change.name);
      case "own":
        return own.delete(change.name);
    }
  };

  return {
    load: async () => ({
      attachments: [...attachments.values()],
      leases: [...leases.values()],
      coolDowns: [...coolDowns.values()],
      pools: [...pools.values()],
      reservations: [...reservations.values()],
      shares: [...shares.values()],
      replayed: [...replayed],
      shared: Array.from(shared, ([name, value]) => ({ name, value })),
      own: Array.from(own, ([name, value]) => ({ name, value })),
    }),
    commit: async (changes) => {
      for (const change of changes) "put" in change ? put(change) : remove(change);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

/** No part of either key holds a space. */
const keyOf = ({ containerId, ifname }: AttachmentKey): string => `${containerId} ${ifname}`;
const placeOf = ({ pool, address }: { readonly pool: string; readonly address: string }): string =>
  `${pool} ${address}`;
/** No pool's name holds a space. */
const nameOf = ({ pool, name }: { readonly pool: string; readonly name: string }): string => `${pool} ${name}`;
const prefixOf = ({ pool, prefix }: { readonly pool: string; readonly prefix: string }): string => `${pool} ${prefix}`;
