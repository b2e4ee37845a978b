import { expect, test } from "@jest/globals";
import { address } from "#lib/address.ts";
import type { Session } from "#lib/frr/sessions.ts";
import { examineSessions } from "./examine-sessions.ts";

const HERE = address("192.0.2.1");
const UP: Session = { address: HERE, state: "Established", upMs: 12_400, received: 1, sent: 4 };
const DOWN: Session = { address: HERE, state: "Active", upMs: 0, received: 0, sent: 0 };

test.each<
  [name: string, called: boolean, sessions: readonly Session[], trouble: string | undefined, expected: string[]]
>([
  ["a router that nobody calls", false, [], "FRR: gone", []],
  [
    "a session that is up",
    true,
    [UP],
    undefined,
    ["ok session: BGP with 192.0.2.1 is up for 12 s; 4 prefixes told, 1 heard"],
  ],
  ["one that is not", true, [DOWN], undefined, ["problem session: BGP with 192.0.2.1 is not up: Active"]],
  ["none", true, [], undefined, ["problem session: FRR on this node has no session with it"]],
  ["no FRR", true, [], "FRR: there is no vtysh", ["problem speaker: FRR: there is no vtysh"]],
  [
    "an FRR that does not take what is new",
    true,
    [UP],
    "FRR: vtysh: line 3",
    ["problem speaker: FRR: vtysh: line 3", "ok session: BGP with 192.0.2.1 is up for 12 s; 4 prefixes told, 1 heard"],
  ],
])("%s", (_name, called, sessions, trouble, expected) => {
  const found = examineSessions(called ? [HERE] : [], new Map(sessions.map((each) => [each.address, each])), trouble);
  expect(found.map(({ level, check, message }) => `${level} ${check}: ${message}`)).toEqual(expected);
});
