/** All facts of an attachment of one of our types. */
import { addressOf } from "#lib/address.ts";
import type { Fact } from "#lib/state/fact.ts";
import { addOns, type Wishes } from "./add-ons.ts";
import type { Attached, Built } from "./kind.ts";
import { localnetElements } from "./localnet.ts";

/** Own facts and shared ones, as in `Built`. */
export interface Wanted {
  readonly facts: readonly Fact[];
  readonly shared: readonly Fact[];
}

/** @throws SelvedgeError config-invalid for host ports and rates that cannot be */
export function assemble(built: Built, attached: Attached, wishes: Wishes): Wanted {
  const { containerId, ifname, mac, mtu } = attached;
  const extra = addOns(
    {
      containerId,
      ifname,
      mac,
      mtu,
      addresses: attached.addresses.map((a) => addressOf(a.address)),
      link: built.shapedLink,
      guard: built.guard,
    },
    wishes,
  );
  // On a link that others share, what host ports need is among the shared facts from the start.
  const prepare = wishes.portMappings.length > 0 && built.localnetLink === attached.hostLink;
  if (!prepare) return { facts: [...built.facts, ...extra], shared: built.shared };
  return {
    facts: [
      ...built.facts.map((fact) => withRouteLocalnet(fact, attached.hostLink)),
      ...extra,
      ...localnetElements(attached.hostLink),
    ],
    shared: built.shared,
  };
}

const withRouteLocalnet = (fact: Fact, link: string): Fact =>
  fact.type === "link" && fact.at === "host" && fact.name === link ? { ...fact, routeLocalnet: true } : fact;
