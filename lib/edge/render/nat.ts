/**
 * NAT between pods and the world (VyOS: nat, and nat66 for IPv6). A rule's number decides which comes first: one to one,
 * egress, masquerade.
 */
import { type Address, type Family, family, hostPrefix, isUniqueLocal, type Prefix } from "#lib/address.ts";
import { pathFrom } from "../path.ts";
import type { Piece } from "../piece.ts";
import type { EdgeView, NatSpec, RouterSpec } from "../router.ts";
import { summary } from "../summary.ts";
import { servedPools } from "./served.ts";

/** Rules of each sort. */
const ROOM = 1_000;

export function nat(spec: RouterSpec, view: EdgeView): Piece[] {
  return [...oneToOne(spec.nat), ...egress(spec.nat), ...masquerade(spec, view), ...publish(spec.nat)];
}

type Side = "source" | "destination";
const rule =
  (of: Family, side: Side, number: number) =>
  (...lines: readonly (readonly (string | number)[])[]): Piece => {
    const at = pathFrom(of === 4 ? "nat" : "nat66", side, "rule", number);
    return { at, paths: lines.map((words) => pathFrom(...at, ...words)) };
  };

/** Whose packets: nat66 has prefixes only. */
const from = (source: Address | Prefix): string[] =>
  family(source) === 4 ? ["source", "address", source] : ["source", "prefix", source];

const oneToOne = ({ oneToOne: pairs, firstRule }: NatSpec): Piece[] =>
  pairs.flatMap(({ outside, inside, interface: link }, i) => [
    rule(family(inside), "source", firstRule + i)(
      ["description", `selvedge ${inside}`],
      ["outbound-interface", "name", link],
      from(family(inside) === 4 ? inside : hostPrefix(inside)),
      ["translation", "address", outside],
    ),
    rule(family(outside), "destination", firstRule + i)(
      ["description", `selvedge ${outside}`],
      ["inbound-interface", "name", link],
      ["destination", "address", outside],
      ["translation", "address", inside],
    ),
  ]);

const egress = ({ egress: fixed, firstRule }: NatSpec): Piece[] =>
  fixed.map(({ source, address, interface: link }, i) =>
    rule(family(source), "source", firstRule + ROOM + i)(
      ["description", `selvedge egress ${address}`],
      ["outbound-interface", "name", link],
      from(source),
      ["translation", "address", address],
    ),
  );

/** IPv6 is routed, but for addresses that nobody outside could answer to (RFC 4193). */
const isMasqueraded = (prefix: Prefix): boolean => family(prefix) === 4 || isUniqueLocal(prefix);

function masquerade(spec: RouterSpec, view: EdgeView): Piece[] {
  const sources = spec.nat.masquerade.flatMap(({ interface: link, pools = spec.pools }) =>
    summary(servedPools({ pools }, view).flatMap(({ prefixes }) => prefixes))
      .filter(isMasqueraded)
      .map((source) => ({ link, source })),
  );
  return sources.map(({ link, source }, i) =>
    rule(family(source), "source", spec.nat.firstRule + 2 * ROOM + i)(
      ["description", `selvedge ${source}`],
      ["outbound-interface", "name", link],
      from(source),
      ["translation", "address", "masquerade"],
    ),
  );
}

const publish = ({ publish: services, firstRule }: NatSpec): Piece[] =>
  services.map(({ name, interface: link, address, protocol, port, to }, i) =>
    rule(family(to.address), "destination", firstRule + ROOM + i)(
      ["description", `selvedge ${name}`],
      ["inbound-interface", "name", link],
      ...(address === undefined ? [] : [["destination", "address", address]]),
      ["destination", "port", port],
      ["protocol", protocol],
      ["translation", "address", to.address],
      ["translation", "port", to.port],
    ),
  );
