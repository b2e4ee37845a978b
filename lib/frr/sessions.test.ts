import { expect, test } from "@jest/globals";
import { isFailure } from "#lib/errors.ts";
import { readSessions } from "./sessions.ts";

/** As FRR 8.4.4 answers, shortened. */
const peer = (state: string, pfxRcd: number, pfxSnt: number, peerUptimeMsec = 12_000) => ({
  remoteAs: 65_000,
  localAs: 65_001,
  peerUptime: "00:00:12",
  peerUptimeMsec,
  pfxRcd,
  pfxSnt,
  state,
  peerState: "OK",
  idType: "ipv4",
});

test("a neighbour of two families is one session", () => {
  const summary = {
    ipv4Unicast: { as: 65_001, peers: { "192.0.2.1": peer("Established", 1, 4), "192.0.2.2": peer("Active", 0, 0) } },
    ipv6Unicast: { as: 65_001, peers: { "192.0.2.1": peer("Established", 1, 2) } },
  };
  expect(readSessions(summary)).toEqual([
    { address: "192.0.2.1", state: "Established", upMs: 12_000, received: 2, sent: 6 },
    { address: "192.0.2.2", state: "Active", upMs: 0, received: 0, sent: 0 },
  ]);
});

test.each<[name: string, answer: unknown]>([
  ["nothing is configured", { warning: "Default BGP instance not found" }],
  ["nobody is a neighbour", { ipv4Unicast: { peers: {} } }],
  ["nothing at all", {}],
])("no sessions where %s", (_name, answer) => expect(readSessions(answer)).toEqual([]));

test.each<[name: string, answer: unknown, message: string]>([
  ["a list", [], "summary: [] is not an object"],
  [
    "no state",
    { ipv4Unicast: { peers: { "192.0.2.1": {} } } },
    "summary.ipv4Unicast.peers.192.0.2.1.state: is missing; it must be a string",
  ],
])("%s is no answer", (_name, answer, message) => {
  try {
    readSessions(answer);
  } catch (error) {
    if (!isFailure(error, "config-invalid")) throw error;
    expect(error.message).toBe(message);
    return;
  }
  throw new Error("taken");
});
