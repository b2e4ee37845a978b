/**
 * What somebody else may do to a node behind Selvedge's back. The contract suite speaks of these; the fake performs
 * them in memory, the tests of the real kernel through `ip`, `tc`, `sysctl` and `nft`.
 */
import type { Address, Mac, Prefix } from "#lib/address.ts";
import type { ElementFact, LinkFact } from "#lib/state/fact.ts";

export type Meddling =
  | { readonly do: "set-link"; readonly link: string; readonly up?: boolean; readonly mtu?: number; readonly mac?: Mac }
  | { readonly do: "delete-link"; readonly link: string }
  /** A bridge without an alias: a link that is nobody's business of ours. */
  | { readonly do: "add-link"; readonly link: string }
  | {
      readonly do: "set-mode";
      readonly link: string;
      readonly kind: "macvlan" | "ipvlan";
      readonly mode: NonNullable<LinkFact["mode"]>;
    }
  /** Tagged, or what comes in without a tag. */
  | { readonly do: "add-port-vlan"; readonly link: string; readonly vid: number; readonly pvid: boolean }
  | { readonly do: "delete-port-vlan"; readonly link: string; readonly vid: number }
  | { readonly do: "delete-forward"; readonly link: string; readonly mac: Mac; readonly to: Address }
  | { readonly do: "delete-port-mac"; readonly link: string; readonly mac: Mac }
  | { readonly do: "add-address"; readonly link: string; readonly address: Prefix }
  | { readonly do: "delete-address"; readonly link: string; readonly address: Prefix }
  | { readonly do: "add-route"; readonly link: string; readonly to: Prefix }
  | { readonly do: "delete-route"; readonly link: string; readonly to: Prefix }
  | { readonly do: "delete-neighbour"; readonly link: string; readonly address: Address }
  | { readonly do: "write-sysctl"; readonly key: string; readonly value: string }
  | { readonly do: "delete-shaper"; readonly link: string }
  | { readonly do: "delete-redirect"; readonly link: string }
  | { readonly do: "delete-element"; readonly element: ElementFact }
  | { readonly do: "flush-chain"; readonly family: "inet" | "bridge"; readonly table: string; readonly chain: string }
  /** An empty table of the given name. */
  | { readonly do: "add-table"; readonly family: "inet" | "bridge"; readonly table: string }
  | { readonly do: "delete-table"; readonly family: "inet" | "bridge"; readonly table: string }
  | { readonly do: "flush-ruleset" };
