/** The node's default routes by addresses that one of two routers has at a time. */
import { type Address, addressOf, anyPrefix, contains, family, type Prefix } from "#lib/address.ts";
import type { RouteFact } from "#lib/state/fact.ts";

export interface SharedGateway {
  readonly address: Address;
  /** Of the route; of several default routes that with the smallest counts. */
  readonly metric: number;
}

/** One for each that is on a network of the node's. @param networks its own addresses with their lengths, by link */
export const gatewayRoutes = (
  gateways: readonly SharedGateway[],
  networks: readonly { readonly link: string; readonly address: Prefix }[],
): RouteFact[] =>
  gateways.flatMap(({ address, metric }): RouteFact[] => {
    const on = networks.find((each) => contains(each.address, address) && addressOf(each.address) !== address);
    if (on === undefined) return [];
    return [{ type: "route", at: "host", to: anyPrefix(family(address)), via: address, link: on.link, metric }];
  });
