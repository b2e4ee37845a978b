/** An attachment of one of our types with everything it wants besides its links. */
import { addressOf } from "#lib/address.ts";
import { addOns, type Wishes } from "./add-ons.ts";
import type { Attached, Built } from "./kind.ts";
import type { Plan } from "./kinds.ts";
import { ifbName } from "./names.ts";
import { refuseUnserved } from "./unserved.ts";

/**
 * Where packets do not pass the node, its defaults (masquerade, spoof protection) mean nothing and are left out.
 * @throws SelvedgeError config-invalid for host ports and rates that cannot be; unsupported-field for what is asked for in vain
 */
export function assemble(plan: Plan, attached: Omit<Attached, "published">, wishes: Wishes): Built {
  const built = plan.build({ ...attached, published: wishes.portMappings.length > 0 });
  const { guard, shapedLink: link } = built;
  if (guard === undefined || link === undefined) {
    refuseUnserved(plan.type, wishes);
    return built;
  }
  const { containerId, ifname, mac, mtu } = attached;
  const addresses = attached.addresses.map((a) => addressOf(a.address));
  const outermost = built.hostInterfaces.at(-2)?.name ?? link;
  const sender = { containerId, ifname, mac, mtu, addresses, link, outermost, guard };
  const spoofProtection = built.spoofProtection ?? wishes.spoofProtection;
  const facts = [...built.facts, ...addOns(sender, { ...wishes, spoofProtection })];
  if (wishes.held !== true) return { ...built, facts };
  const { bandwidth = {}, qos } = wishes;
  const plane = { bandwidth, link, mac, ifb: ifbName(attached), alias: attached.alias, mtu };
  return {
    ...built,
    facts,
    shaped: qos?.priority === undefined ? plane : { ...plane, priority: qos.priority },
  };
}
