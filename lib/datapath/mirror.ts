/** A mirror of a pod's link as facts: the filters that copy, and the tunnel that carries the copies away. */
import { type Address, address, family } from "#lib/address.ts";
import { SelvedgeError } from "#lib/errors.ts";
import { isLinkName } from "#lib/parse.ts";
import { ANY_IPV6, EVERYONE_ELSE, type Fact } from "#lib/state/fact.ts";
import type { MirrorDirection } from "#lib/state/mirror.ts";
import type { PacketMatch } from "#lib/state/traffic-fact.ts";

/** Where the copies go. */
export type MirrorTarget =
  | { readonly kind: "link"; readonly name: string }
  | { readonly kind: "vxlan"; readonly remote: Address; readonly vni: number }
  | { readonly kind: "gre"; readonly remote: Address }
  | { readonly kind: "erspan"; readonly remote: Address; readonly session: number };

const FORMS = "link:NAME, vxlan:ADDRESS:VNI, gre:ADDRESS or erspan:ADDRESS:SESSION";

/** IPv6 addresses stand in brackets: `vxlan:[fd00::1]:42`. @throws SelvedgeError config-invalid */
export function mirrorTarget(text: string): MirrorTarget {
  const [, kind, rest = ""] = /^([a-z]+):(.+)$/.exec(text) ?? [];
  switch (kind) {
    case "link":
      if (!isLinkName(rest)) throw wrong(`${JSON.stringify(rest)} is no name of a link`);
      return { kind, name: rest };
    case "gre":
      return { kind, remote: ipv4(rest.replace(/^\[|\]$/g, ""), kind) };
    case "vxlan": {
      const [remote, vni] = numbered(text, rest, 2 ** 24 - 1);
      return { kind, remote, vni };
    }
    case "erspan": {
      const [remote, session] = numbered(text, rest, 1_023);
      return { kind, remote: ipv4(remote, kind), session };
    }
    default:
      throw wrong(`${JSON.stringify(text)} is not ${FORMS}`);
  }
}

function numbered(text: string, rest: string, most: number): [Address, number] {
  const [, bracketed, plain, digits = ""] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,8})$/.exec(rest) ?? [];
  const number = Number(digits);
  if (digits === "" || number > most)
    throw wrong(`${JSON.stringify(text)} is not ${FORMS}, with a number from 0 to ${most}`);
  return [address(bracketed ?? plain, "to"), number];
}

function ipv4(text: string, kind: string): Address {
  const remote = address(text, "to");
  if (family(remote) !== 4) throw wrong(`${kind} goes to IPv4 addresses, ${remote} is none; vxlan takes IPv6, too`);
  return remote;
}

const wrong = (what: string): SelvedgeError =>
  new SelvedgeError({ kind: "config-invalid", field: "to" }, `to: ${what}`);

export interface Mirrored {
  readonly target: MirrorTarget;
  readonly direction: MirrorDirection;
  readonly matches: readonly PacketMatch[];
  /** Host's end of the pod's link, and the mirror's place among those of the link (0 to 15). */
  readonly link: string;
  readonly slot: number;
  /** Name and alias of the tunnel, which all mirrors to the same target share. */
  readonly tunnel: string;
  readonly alias: string;
}

/** IANA's port for VXLAN, which analysers listen on. */
const VXLAN_PORT = 4_789;
/**
 * The device's own, larger than any packet: one that is larger than its device is dropped (GRE) or cut (ERSPAN), and its
 * sender told (net/ipv4/ip_tunnel.c, tnl_update_pmtu; net/ipv4/ip_gre.c, erspan_xmit; v6.12).
 */
const COPY_MTU_BYTES = 65_000;

/** What the pod sends enters the host by its link, what it gets leaves by it. */
export function mirrorFacts({ target, direction, matches, link, slot, tunnel, alias }: Mirrored): Fact[] {
  const to = target.kind === "link" ? target.name : tunnel;
  const hooks = [
    ...(direction === "in" ? [] : (["ingress"] as const)),
    ...(direction === "out" ? [] : (["egress"] as const)),
  ];
  return [
    ...carriage(target, tunnel, alias),
    ...hooks.map((hook): Fact => ({ type: "mirror", at: "host", link, hook, slot, to, matches })),
  ];
}

function carriage(target: MirrorTarget, name: string, alias: string): Fact[] {
  const device = { type: "link", at: "host", name, up: true, alias, noIpv6LinkLocal: true } as const;
  switch (target.kind) {
    case "link":
      return [];
    case "vxlan":
      return [
        {
          ...device,
          kind: "vxlan",
          vxlan: { id: target.vni, port: VXLAN_PORT, ...(family(target.remote) === 6 ? { local: ANY_IPV6 } : {}) },
        },
        { type: "forward", at: "host", link: name, mac: EVERYONE_ELSE, to: target.remote },
      ];
    case "gre":
      return [{ ...device, kind: "gretap", mtu: COPY_MTU_BYTES, gre: { remote: target.remote } }];
    case "erspan":
      return [
        { ...device, kind: "erspan", mtu: COPY_MTU_BYTES, gre: { remote: target.remote, session: target.session } },
      ];
  }
}
