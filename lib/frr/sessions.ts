/** What bgpd tells of its neighbours: `show bgp summary json` (bgpd/bgp_vty.c, bgp_show_summary; FRR 8.4). */
import { type Address, address } from "#lib/address.ts";
import { entries, type Found, fields, integer, root, text } from "#lib/parse.ts";

export interface Session {
  /** The neighbour's. */
  readonly address: Address;
  /** `Established`, or where on the way to it (RFC 4271, 8.2.2): `Idle`, `Connect`, `Active`, `OpenSent`, `OpenConfirm`. */
  readonly state: string;
  /** Since it is established, ms; 0: it is not. */
  readonly upMs: number;
  /** Prefixes, of all address families. */
  readonly received: number;
  readonly sent: number;
}

/** By address. @throws SelvedgeError config-invalid where it is something else */
export function readSessions(json: unknown): Session[] {
  const sessions = new Map<Address, Session>();
  for (const [family, found] of entries(root(json, "summary"))) {
    // Without a configuration there is only a "warning".
    if (!family.endsWith("Unicast")) continue;
    for (const [name, peer] of entries(fields(found)("peers"))) {
      const session = readSession(name, peer);
      const other = sessions.get(session.address) ?? { received: 0, sent: 0 };
      const both = { received: session.received + other.received, sent: session.sent + other.sent };
      sessions.set(session.address, { ...session, ...both });
    }
  }
  return [...sessions.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
}

function readSession(name: string, found: Found): Session {
  const at = fields(found);
  const count = (key: string): number => integer(at(key), { min: 0, max: Number.MAX_SAFE_INTEGER, or: 0 });
  const state = text(at("state"));
  return {
    address: address(name, found.path),
    state,
    upMs: state === "Established" ? count("peerUptimeMsec") : 0,
    received: count("pfxRcd"),
    sent: count("pfxSnt"),
  };
}
