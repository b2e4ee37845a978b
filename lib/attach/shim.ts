/**
 * How the node reaches pods that hang on one of its links. The kernel lets nothing pass between a macvlan or ipvlan and
 * the link that carries it, but between two of them it does: so the node has one of its own beside the pods', the shim.
 *
 * It has a link-local address that pods reach by a route and a permanent neighbour. So neither side asks anybody on the
 * wire for the other, and answers come back this way wherever the pod's own gateway is.
 */
import { addressOf, family, hostPrefix, type Mac } from "#lib/address.ts";
import type { Fact, LinkFact } from "#lib/state/fact.ts";
import { familiesOf } from "./families.ts";
import type { Attached, Carrier } from "./kind.ts";
import { shimAddress, shimAlias, shimMac, shimMetric, shimName } from "./names.ts";

export interface Beside {
  readonly kind: "macvlan" | "ipvlan";
  readonly mode: NonNullable<LinkFact["mode"]>;
  /** False for ipvlan's l3 and l3s, whose links have no neighbours (IFF_NOARP). */
  readonly neighbours: boolean;
}

/**
 * The shim itself (the same for all pods on the parent), and what leads from the node to one pod and back. Nothing where
 * none is wanted, and for a pod without addresses.
 */
export function shim(
  beside: Beside | undefined,
  attached: Attached,
  carrier: Carrier,
): { readonly shared: readonly Fact[]; readonly own: readonly Fact[] } {
  if (beside === undefined || attached.addresses.length === 0) return { shared: [], own: [] };
  const { kind, mode, neighbours } = beside;
  const link = shimName(kind, carrier.name);
  const families = familiesOf(attached.addresses);
  const near = shimAddress(kind, carrier.name, carrier.mac);
  const mac: Mac = kind === "macvlan" ? shimMac(carrier.name, carrier.mac) : carrier.mac;
  return {
    shared: [
      {
        type: "link",
        at: "host",
        name: link,
        kind,
        up: true,
        // An ipvlan has the parent's, and the kernel refuses to set it.
        ...(kind === "macvlan" ? { mac } : {}),
        alias: shimAlias(carrier.name),
        parent: { at: "host", name: carrier.name },
        mode,
        noIpv6LinkLocal: true,
      },
      ...families.map((f): Fact => ({ type: "address", at: "host", link, address: hostPrefix(near[f]) })),
    ],
    own: [
      ...attached.addresses.flatMap(({ address }): Fact[] => {
        const pod = addressOf(address);
        const source = near[family(address)];
        return [
          { type: "route", at: "host", to: hostPrefix(pod), link, source },
          ...(neighbours ? [{ type: "neighbour", at: "host", link, address: pod, mac: attached.mac } as const] : []),
        ];
      }),
      ...families.flatMap((f): Fact[] => [
        {
          type: "route",
          at: "pod",
          to: hostPrefix(near[f]),
          link: attached.ifname,
          metric: shimMetric(attached.ifname),
        },
        ...(neighbours
          ? [{ type: "neighbour", at: "pod", link: attached.ifname, address: near[f], mac } as const]
          : []),
      ]),
    ],
  };
}
