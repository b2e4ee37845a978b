/** Who was told with an address that another has. As a rule nobody: one whose node died has its addresses until it is deleted. */
import type { Address } from "#lib/address.ts";

export interface Claims<Claimant> {
  has(address: Address, by: Claimant): boolean;
  add(address: Address, by: Claimant): void;
  drop(address: Address, by: Claimant): void;
  /** Drops those of the claimant to other addresses. */
  keep(by: Claimant, addresses: readonly Address[]): void;
  /** The newest last. */
  to(address: Address): readonly Claimant[];
}

export function claims<Claimant>(): Claims<Claimant> {
  const all = new Map<Address, Set<Claimant>>();
  const drop = (address: Address, by: Claimant): void => {
    const some = all.get(address);
    if (some?.delete(by) === true && some.size === 0) all.delete(address);
  };
  return {
    has: (address, by) => all.get(address)?.has(by) === true,
    add(address, by) {
      const some = all.get(address);
      if (some === undefined) all.set(address, new Set([by]));
      else some.add(by);
    },
    drop,
    keep(by, addresses) {
      for (const address of all.keys()) if (!addresses.includes(address)) drop(address, by);
    },
    to: (address) => [...(all.get(address) ?? [])],
  };
}
