/**
 * What FRR says on a node (docs.frrouting.org, "BGP"): each router is told which of its pools' addresses are reached by way
 * of this node, and a default route is taken from those that give one. The text is the whole of what bgpd has.
 */
import { type Address, anyPrefix, bitsOf, type Family, family, lengthOf, type Prefix } from "#lib/address.ts";

export interface SpeakerSpec {
  /** The node's. */
  readonly as: number;
  readonly neighbours: readonly NeighbourSpec[];
  /** A router that is silent for so long is gone. */
  readonly holdSeconds: number;
  /**
   * How long routers keep what the node said while its FRR starts again (RFC 4724), which is as long as they believe a node
   * that is dead; 0: not at all. Absent: a while, but not those that BFD is to tell at once of its death.
   */
  readonly restartSeconds?: number;
  /** Routers that are used at once for one destination. */
  readonly multipath: number;
}

/** An address of a router. */
export interface NeighbourSpec {
  readonly router: string;
  readonly address: Address;
  readonly as: number;
  /** That it is told of. */
  readonly families: readonly Family[];
  readonly password?: string;
  readonly bfd: boolean;
  /** Hops; absent: it is on link. */
  readonly multihop?: number;
  /** The node's address of the session; absent: the kernel's choice. */
  readonly source?: Address;
  /** Parts of these may be said to it, and nothing else. */
  readonly serves: readonly Prefix[];
  readonly givesDefault: boolean;
}

export interface SpeakerView {
  /** BGP identifier, as an IPv4 address; of each node its own. */
  readonly id: Address;
  /** Reached by way of this node. */
  readonly networks: readonly Prefix[];
}

/** Of prefix-lists. */
const OUT = "SELVEDGE-OUT";
const IN = "SELVEDGE-IN";
const WORD = { 4: "ip", 6: "ipv6" } as const satisfies Record<Family, string>;

/** FRR starts again within a few seconds on a busy machine. */
export const RESTART_SECONDS = 20;

/** Nothing at all where there are no neighbours. */
export function speakerText(spec: SpeakerSpec, view: SpeakerView): string {
  if (spec.neighbours.length === 0) return "";
  const families = ([4, 6] as const).filter((of) => spec.neighbours.some((each) => each.families.includes(of)));
  const { restartSeconds = RESTART_SECONDS } = spec;
  const lines = [
    ...families.flatMap((of) => spec.neighbours.flatMap((neighbour) => lists(neighbour, of))),
    `router bgp ${spec.as}`,
    ...[
      `bgp router-id ${view.id}`,
      "no bgp ebgp-requires-policy",
      "no bgp default ipv4-unicast",
      ...(restartSeconds === 0
        ? ["bgp graceful-restart-disable"]
        : [
            "bgp graceful-restart",
            `bgp graceful-restart restart-time ${restartSeconds}`,
            "bgp graceful-restart preserve-fw-state",
          ]),
      "bgp bestpath as-path multipath-relax",
      "no bgp network import-check",
      ...spec.neighbours.flatMap((neighbour) => session(neighbour, spec)),
      ...families.flatMap((of) => unicast(of, spec, view)),
    ].map((line) => ` ${line}`),
    "exit",
  ];
  return `${lines.join("\n")}\n`;
}

/** What may be said to a neighbour, and what may be heard of it. */
function lists(neighbour: NeighbourSpec, of: Family): string[] {
  if (!neighbour.families.includes(of)) return [];
  const list = (name: string, rules: readonly string[]) =>
    rules.map((rule, i) => `${WORD[of]} prefix-list ${name}-${neighbour.address} seq ${5 * (i + 1)} ${rule}`);
  const served = neighbour.serves.filter((prefix) => family(prefix) === of);
  const upTo = (prefix: Prefix) => (lengthOf(prefix) < bitsOf(of) ? ` le ${bitsOf(of)}` : "");
  return [
    ...list(OUT, served.length === 0 ? ["deny any"] : served.map((prefix) => `permit ${prefix}${upTo(prefix)}`)),
    ...list(IN, [neighbour.givesDefault ? `permit ${anyPrefix(of)}` : "deny any"]),
  ];
}

function session(neighbour: NeighbourSpec, { holdSeconds, restartSeconds }: SpeakerSpec): string[] {
  const { address, as, router, password, bfd, multihop, source } = neighbour;
  const say = (words: string): string => `neighbor ${address} ${words}`;
  return [
    say(`remote-as ${as}`),
    say(`description ${router}`),
    ...(password === undefined ? [] : [say(`password ${password}`)]),
    ...(multihop === undefined ? [] : [say(`ebgp-multihop ${multihop}`)]),
    ...(bfd ? [say("bfd")] : []),
    ...(bfd && restartSeconds === undefined ? [say("graceful-restart-disable")] : []),
    // RFC 4271, 10: keepalives come three times in a hold time.
    say(`timers ${Math.floor(holdSeconds / 3)} ${holdSeconds}`),
    say("timers connect 5"),
    ...(source === undefined ? [] : [say(`update-source ${source}`)]),
  ];
}

function unicast(of: Family, { neighbours, multipath }: SpeakerSpec, { networks }: SpeakerView): string[] {
  const said = networks.filter((prefix) => family(prefix) === of);
  return [
    `address-family ipv${of} unicast`,
    ...[
      ...[...new Set(said)].sort().map((prefix) => `network ${prefix}`),
      ...neighbours
        .filter(({ families }) => families.includes(of))
        .flatMap(({ address }) => [
          `neighbor ${address} activate`,
          `neighbor ${address} prefix-list ${IN}-${address} in`,
          `neighbor ${address} prefix-list ${OUT}-${address} out`,
        ]),
      `maximum-paths ${multipath}`,
      `maximum-paths ibgp ${multipath}`,
    ].map((line) => ` ${line}`),
    "exit-address-family",
  ];
}

/**
 * Families that each address of a router is told of: its own, and the other one where the router has no address of that.
 * BGP carries both over either (RFC 4760).
 */
export function familiesOver(address: Address, all: readonly Address[]): Family[] {
  const own = family(address);
  const other: Family = own === 4 ? 6 : 4;
  const isFirst = all.find((each) => family(each) === own) === address;
  return isFirst && all.every((each) => family(each) === own) ? [own, other] : [own];
}
