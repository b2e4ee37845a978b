/** An attachment of one of our types with everything it wants besides its links. */
import { addressOf } from "#lib/address.ts";
import { addOns, type Wishes } from "./add-ons.ts";
import type { Attached, Built } from "./kind.ts";
import type { Plan } from "./kinds.ts";

/** @throws SelvedgeError config-invalid for host ports and rates that cannot be */
export function assemble(plan: Plan, attached: Omit<Attached, "published">, wishes: Wishes): Built {
  const built = plan.build({ ...attached, published: wishes.portMappings.length > 0 });
  const { containerId, ifname, mac, mtu } = attached;
  const addresses = attached.addresses.map((a) => addressOf(a.address));
  const sender = { containerId, ifname, mac, mtu, addresses, link: built.shapedLink, guard: built.guard };
  return { ...built, facts: [...built.facts, ...addOns(sender, wishes)] };
}
