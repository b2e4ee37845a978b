/** NAT between pods and the world (VyOS: nat). A rule's number decides which comes first: one to one, egress, masquerade. */
import { family } from "#lib/address.ts";
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
  (side: Side, number: number) =>
  (...lines: readonly (readonly (string | number)[])[]): Piece => {
    const at = pathFrom("nat", side, "rule", number);
    return { at, paths: lines.map((words) => pathFrom(...at, ...words)) };
  };

const oneToOne = ({ oneToOne: pairs, firstRule }: NatSpec): Piece[] =>
  pairs.flatMap(({ outside, inside, interface: link }, i) => [
    rule("source", firstRule + i)(
      ["description", `selvedge ${inside}`],
      ["outbound-interface", "name", link],
      ["source", "address", inside],
      ["translation", "address", outside],
    ),
    rule("destination", firstRule + i)(
      ["description", `selvedge ${outside}`],
      ["inbound-interface", "name", link],
      ["destination", "address", outside],
      ["translation", "address", inside],
    ),
  ]);

const egress = ({ egress: fixed, firstRule }: NatSpec): Piece[] =>
  fixed.map(({ source, address, interface: link }, i) =>
    rule("source", firstRule + ROOM + i)(
      ["description", `selvedge egress ${address}`],
      ["outbound-interface", "name", link],
      ["source", "address", source],
      ["translation", "address", address],
    ),
  );

function masquerade(spec: RouterSpec, view: EdgeView): Piece[] {
  const sources = spec.nat.masquerade.flatMap(({ interface: link, pools = spec.pools }) =>
    summary(servedPools({ pools }, view).flatMap(({ prefixes }) => prefixes))
      .filter((prefix) => family(prefix) === 4)
      .map((source) => ({ link, source })),
  );
  return sources.map(({ link, source }, i) =>
    rule("source", spec.nat.firstRule + 2 * ROOM + i)(
      ["description", `selvedge ${source}`],
      ["outbound-interface", "name", link],
      ["source", "address", source],
      ["translation", "address", "masquerade"],
    ),
  );
}

const publish = ({ publish: services, firstRule }: NatSpec): Piece[] =>
  services.map(({ name, interface: link, address, protocol, port, to }, i) =>
    rule("destination", firstRule + ROOM + i)(
      ["description", `selvedge ${name}`],
      ["inbound-interface", "name", link],
      ...(address === undefined ? [] : [["destination", "address", address]]),
      ["destination", "port", port],
      ["protocol", protocol],
      ["translation", "address", to.address],
      ["translation", "port", to.port],
    ),
  );
