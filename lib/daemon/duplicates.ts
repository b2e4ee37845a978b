/** An address that somebody on the wire holds already is not used: nobody could tell which of the two is meant. */
import { addressOf } from "#lib/address.ts";
import type { DuplicateCheck } from "#lib/attach/duplicate-check.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Fact } from "#lib/state/fact.ts";
import type { AttachmentRecord } from "#lib/store/store.ts";
import type { Core } from "./core.ts";
import { scopeOf } from "./record.ts";

/** One interface whose addresses are to be asked for. */
export interface Probe {
  readonly link: string;
  readonly pace: DuplicateCheck;
}

/** Facts that say that an address is the pod's: nothing of them is made before nobody else has answered for it. */
export const restsOnAddress = ({ type }: Fact): boolean =>
  type === "address" || type === "route" || type === "neighbour" || type === "rule";

/**
 * Asks for the attachment's addresses by their links, which must stand and have none of them yet; all at once.
 * @throws SelvedgeError address-unavailable naming the address and the MAC of whoever holds it; kernel
 */
export async function refuseDuplicates(
  { kernel, log }: Pick<Core, "kernel" | "log">,
  record: AttachmentRecord,
  facts: readonly Fact[],
  probes: readonly Probe[],
): Promise<void> {
  const found = await Promise.all(
    probes.map(({ link, pace }) => {
      const addresses = facts.flatMap((fact) =>
        fact.type === "address" && fact.at === "pod" && fact.link === link ? [addressOf(fact.address)] : [],
      );
      return addresses.length === 0 ? [] : kernel.probe(scopeOf(record), link, addresses, pace);
    }),
  );
  for (const { address, mac } of found.flat()) {
    const { containerId: container, ifname, network } = record;
    log({ event: "duplicate-address", container, ifname, network, address, mac });
    throw new SelvedgeError(
      { kind: "address-unavailable", address },
      `address ${address} is in use on the network by ${mac}`,
      {
        hint: "Find who holds it (the switch knows the MAC's port), or exclude it from the pool. The next ADD takes another.",
      },
    );
  }
}
