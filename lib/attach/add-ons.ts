/** What an attachment wants besides links, addresses and routes: filter, masquerade, host ports, marks and bandwidth. */
import type { Address, Mac } from "#lib/address.ts";
import type { Bandwidth, PortMapping } from "#lib/cni/types.ts";
import { bandwidthFacts } from "#lib/datapath/bandwidth.ts";
import { leavers } from "#lib/datapath/egress/facts.ts";
import { guardElements } from "#lib/datapath/guard.ts";
import { portElements } from "#lib/datapath/host-ports.ts";
import { markElements } from "#lib/datapath/marking.ts";
import { masqueradeElements } from "#lib/datapath/masquerade.ts";
import { SelvedgeError } from "#lib/errors.ts";
import type { Qos } from "#lib/qos.ts";
import type { Fact } from "#lib/state/fact.ts";
import { ifbName, type Key, linkAlias } from "./names.ts";

export interface Wishes {
  readonly masquerade: boolean;
  readonly spoofProtection: boolean;
  /** The request itself insists on it, not only the node's defaults. */
  readonly spoofProtectionAsked?: boolean;
  /** What leaves the cluster does so by these, which are at that place of the configuration. */
  readonly leaving?: { readonly index: number; readonly addresses: readonly Address[] };
  readonly portMappings: readonly PortMapping[];
  readonly bandwidth?: Bandwidth;
  /** Code point and priority of what it sends; its rates are in `bandwidth` already. */
  readonly qos?: Qos;
  /** The pod is held to a total: its interfaces are shaped together, by whoever knows them all. */
  readonly held?: boolean;
}

/** Whose packets they are, and where they pass. */
export interface Sender extends Key {
  /** Without lengths, in the order of the result. */
  readonly addresses: readonly Address[];
  /** Absent when another plugin made the link and did not say. */
  readonly mac?: Mac;
  /** Bytes. Absent as above. */
  readonly mtu?: number;
  /** Host's end of the link. Absent when another plugin made an interface without one (macvlan). */
  readonly link?: string;
  /** Where its packets come in as the node's routing sees them: its bridge. Absent: `link`. */
  readonly outermost?: string;
  readonly guard: "inet" | "bridge";
}

/** @throws SelvedgeError config-invalid for ports and rates that cannot be, or when the sender lacks what a wish needs */
export const addOns = (sender: Sender, wishes: Wishes): Fact[] => [
  ...(wishes.spoofProtection ? guarded(sender) : []),
  ...(wishes.masquerade ? masqueradeElements(sender.addresses) : []),
  ...(wishes.leaving === undefined ? [] : leavers(sender.addresses, wishes.leaving.index, wishes.leaving.addresses)),
  ...portElements({ mappings: wishes.portMappings, addresses: sender.addresses }),
  ...(wishes.qos === undefined ? [] : marked(sender, wishes.qos)),
  ...(wishes.bandwidth === undefined || wishes.held === true ? [] : shaped(sender, wishes.bandwidth)),
];

function marked({ guard, link, outermost = link, mac }: Sender, qos: Qos): Fact[] {
  if (qos.dscp === undefined && qos.priority === undefined) return [];
  const hint = "Leave dscp and priority out of qos, or attach with a type of Selvedge.";
  if (link === undefined || outermost === undefined)
    throw lacking("an interface on the host, where the pod's packets can be marked", hint);
  if (mac === undefined) throw lacking("the MAC of the pod's interface, by which its packets are marked", hint);
  return markElements({ inet: outermost, mac, ...(guard === "bridge" ? { port: link } : {}) }, qos);
}

function guarded({ guard, link, mac, addresses }: Sender): Fact[] {
  const hint = 'Set "spoofProtection": false, or attach with a type of Selvedge.';
  if (link === undefined) throw lacking("an interface on the host, where the pod's packets can be filtered", hint);
  if (mac === undefined) throw lacking("the MAC of the pod's interface, which spoof protection needs", hint);
  return guardElements({ guard, link, mac, addresses });
}

function shaped(sender: Sender, bandwidth: Bandwidth): Fact[] {
  const { link, mtu } = sender;
  if (link === undefined)
    throw lacking("an interface on the host, where traffic can be shaped", "Leave bandwidth out.");
  const named = { bandwidth, link, ifb: ifbName(sender), alias: linkAlias(sender) };
  return bandwidthFacts(mtu === undefined ? named : { ...named, mtu });
}

/** Only another plugin's result can lack something; a type of ours has all of it. */
export const lacking = (what: string, hint: string): SelvedgeError =>
  new SelvedgeError({ kind: "config-invalid", field: "prevResult" }, `prevResult: it lacks ${what}`, { hint });
