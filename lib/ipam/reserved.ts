/** The reservations of one pool, found by name and by address at once, however many there are. */
import type { Address } from "#lib/address.ts";
import type { Reservation } from "#lib/state/lease.ts";

export interface Reserved {
  for(name: string): Reservation | undefined;
  of(address: Address): Reservation | undefined;
  all(): Iterable<Reservation>;
  readonly size: number;
  /** Neither its name nor its addresses have one. */
  add(reservation: Reservation): void;
  remove(name: string): Reservation | undefined;
}

export function reserved(): Reserved {
  const byName = new Map<string, Reservation>();
  const byAddress = new Map<Address, Reservation>();
  return {
    for: (name) => byName.get(name),
    of: (address) => byAddress.get(address),
    all: () => byName.values(),
    get size() {
      return byName.size;
    },
    add(reservation) {
      byName.set(reservation.name, reservation);
      for (const address of reservation.addresses) byAddress.set(address, reservation);
    },
    remove(name) {
      const reservation = byName.get(name);
      byName.delete(name);
      for (const address of reservation?.addresses ?? []) byAddress.delete(address);
      return reservation;
    },
  };
}
